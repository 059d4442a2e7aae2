import Agent
import Support

/// A column of a listing.
struct RowColumn<Row: ListingRow> {
    /// How a cell looks.
    enum Mood {
        case plain, good, notable, bad
    }

    let title: String
    let alignment: TextTable.Column.Alignment
    /// Whether only `-o wide` has it.
    let isWide: Bool
    /// Whether cells are cut where a terminal is too narrow.
    let isCut: Bool
    let text: (Row) -> String
    let mood: (Row) -> Mood

    /// A column.
    init(
        _ title: String, _ alignment: TextTable.Column.Alignment = .left, isWide: Bool = false, isCut: Bool = false,
        mood: @escaping (Row) -> Mood = { _ in .plain }, _ text: @escaping (Row) -> String
    ) {
        self.title = title
        self.alignment = alignment
        self.isWide = isWide
        self.isCut = isCut
        self.text = text
        self.mood = mood
    }
}

/// Rows as a table for people.
struct RowTable<Row: ListingRow> {
    let style: TextStyle
    let columns: [RowColumn<Row>]
    /// The most columns of characters; `nil`: as many as it takes.
    let width: Int?

    /// The table; columns of which no row says anything are left out, others are cut as far as it takes.
    func lines(_ rows: [Row]) -> [String] {
        let cells = rows.map { row in columns.map { $0.text(row) } }
        let shown = columns.indices.filter { index in cells.contains { !["", "-"].contains($0[index]) } }
        var widths = shown.map { index in
            max(columns[index].title.count, cells.map { $0[index].count }.max() ?? 0)
        }
        if let width {
            // Two blanks stand between columns.
            while widths.reduce(0, +) + 2 * (widths.count - 1) > width {
                let cut = widths.indices.filter { columns[shown[$0]].isCut && widths[$0] > 8 }
                guard let widest = cut.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
            }
        }
        var table = TextTable(shown.map { TextTable.Column(columns[$0].title, columns[$0].alignment) })
        for row in cells {
            table.add(
                zip(shown, widths).map { index, width in
                    row[index].count <= width ? row[index] : row[index].prefix(width - 1) + "…"
                })
        }
        return table.lines { cell, row, column in
            if row == 0 { return style.faint(cell) }
            return switch columns[shown[column]].mood(rows[row - 1]) {
            case .plain: cell
            case .good: style.good(cell)
            case .notable: style.notable(cell)
            case .bad: style.bad(cell)
            }
        }
    }
}
