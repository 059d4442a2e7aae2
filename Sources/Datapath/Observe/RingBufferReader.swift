public import BPFEmit
import CNetpoldABI
import Glibc
import Support

/// Reads verdict events while it lives. The datapath writes none when nobody reads.
///
/// The datapath wakes its reader rarely (that is the most expensive thing on its path), so a reader also looks by the clock.
public final class RingBufferReader {
    /// Unread bytes at which the datapath wakes the reader: an eighth of the ring.
    static let wakeupBytes = UInt32(NP_EVENT_RING_BYTES / 8)
    /// How long events wait when there are few of them.
    static let interval: Int32 = 100

    private let ring: RingBuffer
    private let control: BPFMap
    private var hasEnded = false
    /// Records of another size or with numbers that do not exist, since this reader began.
    public private(set) var unreadable = 0

    /// When this reader began, ns of CLOCK_MONOTONIC: records that an earlier one left unread are of another time, when
    /// slots and counters stood for other things.
    private let began: UInt64

    /// Begins to listen.
    package init(_ maps: DatapathMaps, _ interest: EventInterest) throws(BPFError) {
        ring = try RingBuffer(map: maps.events.fd, name: maps.events.name)
        control = maps.control
        began = MonotonicClock.nanoseconds
        try listen(to: interest)
    }

    /// Chooses anew which packets records are written of.
    public func listen(to interest: EventInterest) throws(BPFError) {
        let listeners: np_listening =
            switch interest {
            case .drops: NP_LISTEN_DROPS
            case .verdicts: NP_LISTEN_ALL
            }
        try control.set(
            UInt32(0), np_control(listeners: listeners.rawValue, wakeup_bytes: Self.wakeupBytes))
    }

    /// Ends listening: the datapath stops writing records.
    public func stop() throws(BPFError) {
        hasEnded = true
        try control.set(UInt32(0), np_control(listeners: NP_LISTEN_NOBODY.rawValue, wakeup_bytes: 0))
    }

    /// The next events, oldest first, at most 4096; the others are there the next time. Waits up to 100 ms for them.
    /// Empty when there were none.
    public func read() throws(BPFError) -> [VerdictRecord] { try read(limit: 4096) }

    /// The next events, at most `limit`.
    func read(limit: Int) throws(BPFError) -> [VerdictRecord] {
        // What is there already needs no waiting for: wake-ups come once, when the ring fills past a mark.
        let unreadableBefore = unreadable
        let events = try take(limit: limit)
        guard events.isEmpty, unreadable == unreadableBefore else { return events }
        try ring.wait(milliseconds: Self.interval)
        return try take(limit: limit)
    }

    private func take(limit: Int) throws(BPFError) -> [VerdictRecord] {
        var events: [VerdictRecord] = []
        try ring.take(limit: limit) { bytes in
            guard let event = VerdictRecord(bytes) else { return unreadable += 1 }
            if event.time >= began { events.append(event) }
        }
        return events
    }

    // A reader that was stopped must not silence the one that came after it.
    deinit { if !hasEnded { try? stop() } }
}

extension NodeDatapath {
    /// Begins to listen to verdicts. One reader at a time: the ring has one reading position.
    public func makeEventReader(_ interest: EventInterest = .verdicts) throws(BPFError) -> RingBufferReader {
        try RingBufferReader(maps, interest)
    }
}
