import CLinux

/// The CPUs that the calling thread may run on.
public struct ThreadAffinity: Sendable {
    /// A bit for each CPU.
    private var words: [UInt]

    /// Those that the thread may run on now; `nil` when the kernel does not say.
    public init?() {
        words = [UInt](repeating: 0, count: Int(NP_CPU_MASK_WORDS))
        guard np_read_affinity(&words) > 0 else { return nil }
    }

    /// One CPU; `nil` for a number that no CPU can have.
    public init?(cpu: Int) {
        words = [UInt](repeating: 0, count: Int(NP_CPU_MASK_WORDS))
        guard cpu >= 0, cpu / UInt.bitWidth < words.count else { return nil }
        words[cpu / UInt.bitWidth] = 1 << UInt(cpu % UInt.bitWidth)
    }

    /// Lets the calling thread run there only: when it returns, the thread does.
    ///
    /// - Returns: 0; -1 with `errno` when the thread may not.
    public func apply() -> Int32 { np_set_affinity(words) }
}
