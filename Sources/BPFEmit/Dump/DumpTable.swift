/// A table of a dump: what stands in it, not how it is laid out.
public struct DumpTable: Hashable, Sendable {
    /// A column.
    public struct Column: Hashable, Sendable {
        /// Its heading.
        public var title: String
        /// Whether its cells are numbers, to be compared by their digits.
        public var isNumeric: Bool
        /// Where it stands if there is no room for all columns.
        public var narrow = Narrow.stays

        /// What becomes of a column where there is no room for all.
        public enum Narrow: Hashable, Sendable {
            /// It stays.
            case stays
            /// Its cells stand below their rows.
            case below
            /// It is left out.
            case hidden
        }

        /// A column of words.
        static func words(_ title: String, _ narrow: Narrow = .stays) -> Column {
            Column(title: title, isNumeric: false, narrow: narrow)
        }
        /// A column of numbers.
        static func numbers(_ title: String, _ narrow: Narrow = .stays) -> Column {
            Column(title: title, isNumeric: true, narrow: narrow)
        }
    }

    /// What stands in a cell.
    public enum Cell: Hashable, Sendable, ExpressibleByStringInterpolation {
        /// A text.
        case text(String)
        /// An amount of memory.
        case bytes(Int)

        /// A text.
        public init(stringLiteral text: String) { self = .text(text) }
    }

    /// The columns.
    public let columns: [Column]
    /// The rows; cells that are missing at the end of one are empty.
    public internal(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }
}
