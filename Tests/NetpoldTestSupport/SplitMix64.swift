/// SplitMix64: small, and the same on every machine. A seed in a failure message repeats the case.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator from a seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number below a bound.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

    /// True once in `times`.
    public mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of a list, which is not empty.
    public mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }

    /// Up to `count` of a list, in its order.
    public mutating func some<T>(_ list: [T], upTo count: Int) -> [T] {
        let wanted = below(count + 1)
        return list.shuffled(using: &self).prefix(wanted).map { $0 }
    }
}
