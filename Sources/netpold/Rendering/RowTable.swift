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
    /// What becomes of it where a terminal is too narrow.
    let narrow: TextTable.Column.Narrow
    let text: (Row) -> String
    let mood: (Row) -> Mood

    /// A column.
    init(
        _ title: String, _ alignment: TextTable.Column.Alignment = .left, isWide: Bool = false,
        narrow: TextTable.Column.Narrow = .stays,
        mood: @escaping (Row) -> Mood = { _ in .plain }, _ text: @escaping (Row) -> String
    ) {
        self.title = title
        self.alignment = alignment
        self.isWide = isWide
        self.narrow = narrow
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

    /// The table, without columns of which no row says anything.
    func lines(_ rows: [Row]) -> [String] {
        let cells = rows.map { row in columns.map { $0.text(row) } }
        let shown = columns.indices.filter { index in cells.contains { !["", "-"].contains($0[index]) } }
        var table = TextTable(
            shown.map { TextTable.Column(columns[$0].title, columns[$0].alignment, narrow: columns[$0].narrow) })
        for row in cells { table.add(shown.map { row[$0] }) }
        return table.lines(width: width) { cell, row, column in
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
