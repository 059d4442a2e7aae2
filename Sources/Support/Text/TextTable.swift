/// Cells in columns, two spaces apart. The one table of everything that is printed.
public struct TextTable: Sendable {
    /// A column.
    public struct Column: Hashable, Sendable {
        /// Which side its cells stand at.
        public enum Alignment: Hashable, Sendable {
            case left, right
        }

        /// What becomes of a column where a table is wider than there is room. No cell is ever cut: what stands in tables is
        /// copied into the next command.
        public enum Narrow: Hashable, Sendable {
            /// It stays; the lines are longer then.
            case stays
            /// Its cells stand below their rows, with the title.
            case below
            /// It is left out.
            case hidden
        }

        /// Its heading, or empty.
        public var title: String
        /// Which side its cells stand at.
        public var alignment: Alignment
        /// Characters that it takes even if all cells are shorter.
        public var minimumWidth: Int
        /// What becomes of it where there is no room.
        public var narrow: Narrow

        /// A column.
        public init(
            _ title: String = "", _ alignment: Alignment = .left, minimumWidth: Int = 0, narrow: Narrow = .stays
        ) {
            self.title = title
            self.alignment = alignment
            self.minimumWidth = minimumWidth
            self.narrow = narrow
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
    ///   - width: the characters of a line that there is room for: columns make room, from the last on, as far as `Column.narrow`
    ///     lets them; first those that are hidden, then those that go below their rows. `nil`: as many as it takes.
    ///   - decorate: may colour a cell of a row (0 is the heading) and column. It is given the cell's text alone, and what it
    ///     adds takes no room.
    /// - Returns: the lines from top to bottom, without line ends.
    public func lines(
        indent: Int = 0, width: Int? = nil,
        _ decorate: (_ cell: String, _ row: Int, _ column: Int) -> String = { cell, _, _ in cell }
    ) -> [String] {
        let widths = columns.indices.map { column in
            rows.reduce(max(columns[column].minimumWidth, columns[column].title.count)) { width, row in
                column < row.count ? max(width, row[column].count) : width
            }
        }
        let room = width.map { max(0, $0 - indent) }
        let (shown, below) = places(widths, room)
        let titles = columns.map(\.title)
        let hasHeading = titles.contains { !$0.isEmpty }
        var lines: [String] = []
        for (number, cells) in ((hasHeading ? [titles] : []) + rows).enumerated() {
            let row = hasHeading ? number : number + 1
            lines.append(line(cells, row: row, shown, widths, indent: indent, decorate))
            if row > 0 { lines += rest(cells, row: row, below, room, indent: indent + 4, decorate) }
        }
        return lines
    }

    /// Which columns stand in the lines, and which below them.
    private func places(_ widths: [Int], _ room: Int?) -> (shown: [Int], below: [Int]) {
        var shown = Array(columns.indices)
        var below: [Int] = []
        guard let room else { return (shown, below) }
        for narrow in [Column.Narrow.hidden, .below] {
            // Two blanks stand between columns.
            while shown.reduce(0, { $0 + widths[$1] }) + 2 * (shown.count - 1) > room,
                let last = shown.lastIndex(where: { columns[$0].narrow == narrow })
            {
                let column = shown.remove(at: last)
                if narrow == .below { below.insert(column, at: 0) }
            }
        }
        return (shown, below)
    }

    private func line(
        _ cells: [String], row: Int, _ shown: [Int], _ widths: [Int], indent: Int,
        _ decorate: (String, Int, Int) -> String
    ) -> String {
        guard let last = shown.last(where: { $0 < cells.count && !cells[$0].isEmpty }) else { return "" }
        var line = String(repeating: " ", count: indent)
        for column in shown where column <= last {
            let cell = column < cells.count ? cells[column] : ""
            let fill = String(repeating: " ", count: widths[column] - cell.count)
            if column != shown.first { line += "  " }
            switch columns[column].alignment {
            case .right: line += fill + decorate(cell, row, column)
            case .left: line += decorate(cell, row, column) + (column == last ? "" : fill)
            }
        }
        return line
    }

    /// Cells that stand below their row: as many on a line as fit.
    private func rest(
        _ cells: [String], row: Int, _ below: [Int], _ room: Int?, indent: Int, _ decorate: (String, Int, Int) -> String
    ) -> [String] {
        var lines: [String] = []
        var used = 0
        for column in below where column < cells.count && !["", "-"].contains(cells[column]) {
            let title = columns[column].title
            let size = title.count + 1 + cells[column].count
            let text = (title.isEmpty ? "" : decorate(title, 0, column) + " ") + decorate(cells[column], row, column)
            if let line = lines.last, used + 2 + size + 4 <= room ?? .max {
                lines[lines.count - 1] = line + "  " + text
                used += 2 + size
            } else {
                lines.append(String(repeating: " ", count: indent) + text)
                used = size
            }
        }
        return lines
    }
}
