public import BPFEmit
import CNetpoldABI
import Glibc
import Support

/// The pinned entry of np_host: what `netpold host` reads and writes, whether an agent lives or not.
public struct HostControl {
    private let map: BPFMap

    /// The entry of an instance; `nil` when nothing of it is pinned.
    ///
    /// - Throws: when the pin cannot be opened, or is of another version's layout.
    public init?(_ pins: PinPath) throws(BPFError) {
        guard let pinned = try Libbpf.openPin("\(pins.folder)/np_host") else { return nil }
        map = try BPFMap(pinned, name: "np_host")
        guard map.shape.valueSize == MemoryLayout<np_host>.size else {
            throw BPFError(.checkLayout, "np_host", errno: .invalidArgument, detail: "pinned by another version")
        }
    }

    /// Whether the pinned entry of an instance says anything; one that cannot be read does.
    static func isInUse(_ pins: PinPath?) -> Bool {
        guard let pins else { return false }
        do {
            guard let control = try HostControl(pins) else { return false }
            return try !control.read().hasEqualBytes(np_host())
        } catch {
            return true
        }
    }

    /// What is in force now, and what passes in spite of it.
    public func state() throws(BPFError) -> (confirmation: HostConfirmation, failsafes: [Failsafe], passesProbes: Bool)
    {
        let host = try read()
        return (host.confirmation(now: MonotonicClock.nanoseconds), host.failsafes, host.passes_probes != 0)
    }

    /// Confirms what is in force. False: nothing was to be confirmed, or it is too late.
    public func confirm() throws(BPFError) -> Bool {
        try change { confirmation, _ in confirmation.confirm() }
    }

    /// Puts in force again what nobody has confirmed, for so many seconds. False: nothing waits.
    public func retry(seconds: UInt32) throws(BPFError) -> Bool {
        try change { confirmation, now in confirmation.retry(seconds: seconds, now: now) }
    }

    /// Whole seconds until a time of `HostConfirmation`.
    public static func seconds(until: UInt64) -> UInt64 {
        let now = MonotonicClock.nanoseconds
        return until > now ? (until - now + 999_999_999) / 1_000_000_000 : 0
    }

    private func change(
        _ event: (inout HostConfirmation, UInt64) -> HostConfirmation.Action?
    ) throws(BPFError) -> Bool {
        var isWritten = false
        for _ in 0..<HostControl.attempts {
            let before = try read()
            var host = before
            let now = MonotonicClock.nanoseconds
            var confirmation = host.confirmation(now: now)
            guard let action = event(&confirmation, now) else { return isWritten }
            host.take(action)
            try map.set(UInt32(0), host)
            isWritten = true
            // An agent that has read the entry before may write it now, as it was. Another change of it is another thing.
            usleep(HostControl.pause)
            let after = try read()
            guard after.until == before.until, after.until != host.until, after.fingerprint == before.fingerprint else {
                return true
            }
        }
        return false
    }

    /// How often an entry is written that an agent writes at the same time, and the microseconds between.
    private static let attempts = 10
    private static let pause: UInt32 = 20_000

    private func read() throws(BPFError) -> np_host { try map.value(of: UInt32(0), initial: np_host()) ?? np_host() }
}
