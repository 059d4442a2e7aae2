/// Cells in columns, two spaces apart. The one table of everything that is printed.
public struct TextTable: Sendable {
    /// A column.
    public struct Column: Hashable, Sendable {
        /// Which side its cells stand at.
        public enum Alignment: Hashable, Sendable {
            case left, right
        }

        /// Its heading, or empty.
        public var title: String
        /// Which side its cells stand at.
        public var alignment: Alignment
        /// Characters that it takes even if all cells are shorter.
        public var minimumWidth: Int

        /// A column.
        public init(_ title: String = "", _ alignment: Alignment = .left, minimumWidth: Int = 0) {
            self.title = title
            self.alignment = alignment
            self.minimumWidth = minimumWidth
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// A table without rows.
    public init(_ columns: [Column]) { self.columns = columns }

    /// A table of columns that stand at the left, without rows.
    public init(header: [String]) { self.init(header.map { Column($0) }) }

    /// Adds a row; cells that are missing at its end are empty.
    public mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The heading, if a column has one, and the rows: lines without blanks at their ends.
    ///
    /// - Parameters:
    ///   - indent: blanks before each line.
    ///   - decorate: may colour a cell of a row (0 is the heading) and column. It is given the cell's text alone, and what it
    ///     adds takes no room.
    /// - Returns: the lines from top to bottom, without line ends.
    public func lines(
        indent: Int = 0,
        _ decorate: (_ cell: String, _ row: Int, _ column: Int) -> String = { cell, _, _ in cell }
    ) -> [String] {
        let widths = columns.indices.map { column in
            rows.reduce(max(columns[column].minimumWidth, columns[column].title.count)) { width, row in
                column < row.count ? max(width, row[column].count) : width
            }
        }
        let titles = columns.map(\.title)
        let hasHeading = titles.contains { !$0.isEmpty }
        return ((hasHeading ? [titles] : []) + rows).enumerated().map { number, cells in
            line(cells, row: hasHeading ? number : number + 1, widths, indent: indent, decorate)
        }
    }

    private func line(
        _ cells: [String], row: Int, _ widths: [Int], indent: Int, _ decorate: (String, Int, Int) -> String
    ) -> String {
        guard let last = cells.indices.last(where: { !cells[$0].isEmpty && $0 < columns.count }) else { return "" }
        var line = String(repeating: " ", count: indent)
        for (column, cell) in cells[...last].enumerated() {
            let fill = String(repeating: " ", count: widths[column] - cell.count)
            if column > 0 { line += "  " }
            switch columns[column].alignment {
            case .right: line += fill + decorate(cell, row, column)
            case .left: line += decorate(cell, row, column) + (column == last ? "" : fill)
            }
        }
        return line
    }
}
