import BPFEmit
import CLibBPF
import CNetpoldABI
import Glibc
import Support

/// The clock that conntrack entries and events are stamped by: jiffies, which userspace cannot read otherwise.
public struct KernelClock {
    /// A moment.
    public struct Reading: Hashable, Sendable {
        /// `bpf_jiffies64()`.
        public var jiffies: UInt64
        /// Jiffies per second.
        public var rate: Int
    }

    private let program: BPFProgram

    /// Loads a program that reads the clock.
    public init() throws(BPFError) {
        // r6 = r1; call jiffies64; cb[0] = r0; r0 >>= 32; cb[1] = r0; return 0
        let cb = UInt64(NP_CB_OFFSET)
        let instructions: [UInt64] = [
            0xbf | 0x16 << 8, 0x85 | UInt64(BPF_FUNC_jiffies64.rawValue) << 32, 0x63 | 0x06 << 8 | cb << 16,
            0x77 | 0x00 << 8 | 32 << 32, 0x63 | 0x06 << 8 | (cb + 4) << 16, 0xb7, 0x95,
        ]
        program = try BPFProgram(
            EncodedProgram(instructions: instructions, mapReferences: []), name: "np_clock", hitBase: 0, maps: [:])
    }

    /// The time now.
    public func now() throws(BPFError) -> Reading {
        let run = try TestRun(frame: [UInt8](repeating: 0, count: 64)).run(program)
        let jiffies = UInt64(run.cb.1) << 32 | UInt64(run.cb.0)
        return Reading(
            jiffies: jiffies, rate: Self.rate(jiffies: jiffies, uptime: Double(MonotonicClock.nanoseconds) / 1e9))
    }

    /// Which of the rates Linux can be built with explains the reading. The count starts at 2^32 - 300 s, so that code
    /// that mishandles a wrap shows it five minutes after boot.
    static func rate(jiffies: UInt64, uptime: Double) -> Int {
        let rates = [100, 250, 300, 1000]
        // At the wrap itself every rate explains it: the fastest makes no flow older than it is.
        guard abs(uptime - 300) > 1 else { return 1000 }
        let sinceWrap = Double(Int64(bitPattern: jiffies &- 1 << 32))
        func error(_ rate: Int) -> Double { abs(sinceWrap - Double(rate) * (uptime - 300)) }
        return rates.min { error($0) < error($1) } ?? 1000
    }
}
