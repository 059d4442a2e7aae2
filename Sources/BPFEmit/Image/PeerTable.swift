/// The entries of a `peers` map, sorted by identity.
///
/// Many identities carry the same bits, so an entry is two numbers: its identity, and the place of its words in a list. A table of
/// thousands is copied, compared and thrown away without a look at a reference count.
public struct PeerTable: Sendable {
    /// An entry.
    struct Row: OrderedEntry, Sendable {
        var identity: UInt32
        /// Place in `values`.
        var value: Int32

        var order: UInt32 { identity }
    }

    private(set) var rows: [Row]
    /// Words of entries, each kind mostly once. Some may be no entry's any more.
    private(set) var values: [[UInt64]]

    /// No entries.
    public init() { (rows, values) = ([], []) }

    /// Entries that are sorted by identity.
    public init(_ entries: some Sequence<PeerEntry>) {
        self.init()
        var places: [[UInt64]: Int32] = [:]
        for entry in entries {
            let place = places[entry.words] ?? Int32(truncatingIfNeeded: values.count)
            if place == values.count {
                values.append(entry.words)
                places[entry.words] = place
            }
            rows.append(Row(identity: entry.identity, value: place))
        }
    }

    /// Rows that are sorted, and the values they name.
    init(rows: [Row], values: [[UInt64]]) { (self.rows, self.values) = (rows, values) }

    /// The identity of the entry at a place.
    public func identity(at place: Int) -> UInt32 { rows[place].identity }

    /// The words of an identity; `nil`: it has no entry.
    public func words(of identity: UInt32) -> [UInt64]? { rows.entry(identity).map { values[Int($0.value)] } }

    /// Changes entries, or takes out those of `nil`; sorted by identity, each once.
    public mutating func set(_ changes: [(order: UInt32, entry: PeerEntry?)]) {
        var search = ValueSearch()
        var found: [(order: UInt32, entry: Row?)] = []
        found.reserveCapacity(changes.count)
        for change in changes {
            guard let words = change.entry?.words else {
                found.append((change.order, nil))
                continue
            }
            let place = search.place(of: words, in: values)
            if place == values.count { values.append(words) }
            found.append((change.order, Row(identity: change.order, value: Int32(truncatingIfNeeded: place))))
        }
        rows.set(found)
        if values.count > 2 * rows.count + 64 { self = PeerTable(self) }
    }

    /// Looks words up among values. Changes have few kinds of words: so the values are looked through, and only from some kinds on indexed.
    private struct ValueSearch {
        /// More kinds than this are looked up in an index of all values.
        private static let limit = 16

        private var latest: (words: [UInt64], place: Int)?
        private var known: [[UInt64]: Int] = [:]
        private var searches = 0

        /// The place of words, that behind all others where no value is equal: then the caller adds them.
        mutating func place(of words: [UInt64], in values: [[UInt64]]) -> Int {
            if let latest {
                if latest.words == words { return latest.place }
                known[latest.words] = latest.place
            }
            var place = known[words]
            if place == nil {
                searches += 1
                if searches <= ValueSearch.limit {
                    place = values.firstIndex(of: words)
                } else if searches == ValueSearch.limit + 1 {
                    for (place, value) in values.enumerated() { known[value] = place }
                    place = known[words]
                }
            }
            let found = place ?? values.count
            latest = (words, found)
            return found
        }
    }

    /// The same entries with only the first words of each.
    func trimmed(to words: Int) -> PeerTable {
        PeerTable(rows: rows, values: values.map { $0.count == words ? $0 : Array($0.prefix(words)) })
    }

    /// Compares entries of two tables. Words are looked at once for each pair of places.
    public struct Comparison {
        private let left: PeerTable
        private let right: PeerTable
        /// By place in the left table's values: the place of equal ones in the right's; -1: not known.
        private var equal: [Int32]

        /// A comparison.
        public init(_ left: PeerTable, _ right: PeerTable) {
            self.left = left
            self.right = right
            equal = Array(repeating: -1, count: left.values.count)
        }

        /// Whether two entries have the same words.
        public mutating func hasEqualWords(_ leftPlace: Int, _ rightPlace: Int) -> Bool {
            let (own, other) = (left.rows[leftPlace].value, right.rows[rightPlace].value)
            if equal[Int(own)] == other { return true }
            guard left.values[Int(own)] == right.values[Int(other)] else { return false }
            equal[Int(own)] = other
            return true
        }

        /// Whether two entries are the same.
        public mutating func areEqual(_ leftPlace: Int, _ rightPlace: Int) -> Bool {
            left.rows[leftPlace].identity == right.rows[rightPlace].identity && hasEqualWords(leftPlace, rightPlace)
        }
    }
}

extension PeerTable: RandomAccessCollection {
    /// 0.
    public var startIndex: Int { 0 }
    /// How many entries there are.
    public var endIndex: Int { rows.count }
    /// The entry at a place.
    public subscript(place: Int) -> PeerEntry {
        PeerEntry(identity: rows[place].identity, words: values[Int(rows[place].value)])
    }
}

extension PeerTable: ExpressibleByArrayLiteral {
    /// Entries that are sorted by identity.
    public init(arrayLiteral entries: PeerEntry...) { self.init(entries) }
}

extension PeerTable: Hashable {
    /// O(1) where both are copies of one, else O(entries).
    public static func == (left: PeerTable, right: PeerTable) -> Bool {
        guard left.rows.count == right.rows.count else { return false }
        if left.isCopy(of: right) { return true }
        var comparison = Comparison(left, right)
        for place in left.rows.indices where !comparison.areEqual(place, place) { return false }
        return true
    }

    /// By the entries.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(rows.count)
        for entry in self { hasher.combine(entry) }
    }

    /// Whether both are one in memory.
    func isCopy(of other: PeerTable) -> Bool {
        rows.withUnsafeBufferPointer { own in other.rows.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress } }
            && values.withUnsafeBufferPointer { own in
                other.values.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress }
            }
    }
}

extension PeerTable: CustomStringConvertible {
    /// As of an array.
    public var description: String { "\(Array(self))" }
}
