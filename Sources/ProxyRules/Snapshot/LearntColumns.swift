internal import PolicyAPI
internal import PolicyIR

/// Columns of names of a policy, for the datapath.
public struct LearntColumns: Hashable, Sendable {
    /// The number of their numbering.
    public var numbering: UInt32
    /// A bit for each.
    public var columns: UInt32

    /// Those of one policy, compiled.
    struct Book: Sendable {
        private let numbering: UInt32
        private let index: NamePatternIndex
        /// Of each pattern of the index, the bit of its column.
        private let bits: [UInt32]

        init(_ names: RuleSnapshot.Names) {
            numbering = names.numbering
            var patterns: [NamePattern] = []
            var bits: [UInt32] = []
            // A number that is no column's is no bit.
            for column in names.columns where column.number < 32 {
                patterns +=
                    column.names.map { NamePattern(.name($0)) } + column.patterns.map { NamePattern(.pattern($0)) }
                bits += Array(repeating: 1 << column.number, count: patterns.count - bits.count)
            }
            index = NamePatternIndex(patterns)
            self.bits = bits
        }

        func columns(for name: String) -> LearntColumns {
            LearntColumns(
                numbering: numbering, columns: index.matches(of: name).reduce(0) { found, place in found | bits[place] }
            )
        }
    }
}
