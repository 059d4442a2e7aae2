/// Columns of text, aligned.
struct DumpTable {
    /// Which side a column's texts stand at.
    enum Alignment {
        case left
        case right
    }

    private let alignments: [Alignment]
    private var rows: [[String]]

    /// A table with a heading.
    init(_ columns: [(title: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.title)]
    }

    /// Adds a row; missing cells are empty.
    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines, heading first, without blanks at their ends.
    func lines(indent: Int = 2) -> [String] {
        let widths = alignments.indices.map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() where column < widths.count {
                let fill = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (alignments[column] == .right ? fill + cell : cell + fill)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
