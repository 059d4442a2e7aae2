public import PolicyIR

/// A column of names: a remote that was learnt by its list carries the bits.
public struct NameColumn: Hashable, Sendable {
    /// The number, below `NameColumns.limit`: its bit in `cb[3]`.
    public var number: Int
    /// What it stands for.
    public var list: NameList
    /// Its rule bits, least significant word first.
    public var words: [UInt64]

    /// A column.
    public init(number: Int, list: NameList, words: [UInt64]) {
        self.number = number
        self.list = list
        self.words = words
    }
}
