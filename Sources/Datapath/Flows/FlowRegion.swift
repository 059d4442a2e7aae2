import CNetpoldABI

/// The part of np_flow_sets that one endpoint's flows live in: a power of two of sets that begins at a multiple of its size.
package struct FlowRegion: Hashable, Sendable {
    /// Its first set.
    package let first: UInt32
    /// How many sets it has.
    package let sets: UInt32

    /// A region; `nil` when `sets` is no power of two, `first` no multiple of it, or the word would overflow.
    package init?(first: UInt32, sets: UInt32) {
        guard sets.nonzeroBitCount == 1, first % sets == 0, first < 1 << 30, sets < 1 << 30 else { return nil }
        self.first = first
        self.sets = sets
    }

    /// The region of `np_endpoint.region` or an element of np_flow_moves; `nil` for 0, which is none.
    package init?(word: UInt32) {
        guard word != 0 else { return nil }
        let sets: UInt32 = 1 << UInt32(word.trailingZeroBitCount)
        self.init(first: (word - sets) / 2, sets: sets)
    }

    /// As `np_endpoint.region` has it.
    package var word: UInt32 { 2 * first + sets }

    /// Its sets, as keys of np_flow_sets.
    package var range: Range<Int> { Int(first)..<Int(first) + Int(sets) }

    /// The first set of the block of `1 << exponent` sets that it lies in.
    func first(ofBlock exponent: Int) -> UInt32 { first & ~((1 << UInt32(exponent)) - 1) }

    /// Flows that it has room for.
    package var room: Int { Int(sets) * Int(NP_FLOW_WAYS) }
}

extension FlowRegion: CustomStringConvertible {
    /// `sets 64..<128`.
    package var description: String { "sets \(range)" }
}
