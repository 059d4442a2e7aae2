/// Delays between attempts: they double, and are never the same on two machines.
struct Backoff: Hashable, Sendable {
    private var state: UInt64

    /// Delays that depend on nothing but the seed.
    init(seed: UInt64) {
        state = seed
    }

    /// The delay after so many failures: between half of and all of what they are worth; with `atLeast`, that much more.
    mutating func delay(_ failures: Int, atLeast: Duration = .zero, _ settings: WatchSettings) -> Duration {
        let full = min(settings.firstDelay * (1 << min(max(failures - 1, 0), 16)), settings.longestDelay)
        return atLeast + full * (0.5 + 0.5 * unit())
    }

    /// A value between half of and all of a duration.
    mutating func spread(_ duration: Duration) -> Duration { duration * (0.5 + 0.5 * unit()) }

    /// A value of the range.
    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(unit() * Double(range.count))
    }

    /// At least 0, less than 1: SplitMix64.
    private mutating func unit() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        word ^= word >> 31
        return Double(word >> 11) / Double(UInt64(1) << 53)
    }
}
