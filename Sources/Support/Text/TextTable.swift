/// Rows of words in columns, two spaces apart; the last column is not padded.
public struct TextTable {
    private var rows: [[String]]

    /// A table with a heading.
    public init(header: [String]) {
        rows = [header]
    }

    /// Adds a row.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines; `decorate` may colour the padded cell of a row (0 = header) and column.
    public func lines(_ decorate: (_ cell: String, _ row: Int, _ column: Int) -> String = { cell, _, _ in cell })
        -> [String]
    {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.enumerated().map { number, row in
            row.enumerated().map { column, cell in
                let isLast = column == row.count - 1
                let padding = isLast ? "" : String(repeating: " ", count: widths[column] - cell.count)
                return decorate(cell, number, column) + padding
            }.joined(separator: "  ")
        }
    }
}
