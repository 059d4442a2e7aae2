/// A register of the eBPF machine. Each holds 64 bits.
public enum Register: UInt8, Hashable, CaseIterable, Sendable {
    /// Result of calls and of the program; lost in every call.
    case r0
    /// First argument of calls; the context when the program starts. Lost in every call, as r2 to r5.
    case r1
    /// Second argument of calls.
    case r2
    /// Third argument of calls.
    case r3
    /// Fourth argument of calls.
    case r4
    /// Fifth argument of calls.
    case r5
    /// Kept over calls, as r7 to r9.
    case r6
    /// Kept over calls.
    case r7
    /// Kept over calls.
    case r8
    /// Kept over calls.
    case r9
    /// End of the 512 bytes of stack; cannot be written.
    case r10
}

extension Register: CustomStringConvertible {
    /// `r0` to `r10`.
    public var description: String { "r\(rawValue)" }
}
