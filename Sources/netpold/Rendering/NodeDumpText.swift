import BPFEmit
import Support

/// Writes what `netpold compile` prints.
struct NodeDumpText {
    /// Colours for a terminal, or none.
    let style: TextStyle
    /// The characters of a line that there is room for; `nil`: as many as it takes.
    var width: Int?

    /// The lines of a form.
    func lines(_ dump: NodeDump, _ form: NodeDump.Form) -> [String] {
        dump.blocks(form).flatMap { block in
            switch block {
            case .heading(let text): [style.strong(PrintableName.of(text))]
            case .line(let text): [PrintableName.of(text)]
            case .table(let table): lines(table)
            }
        }
    }

    private func lines(_ table: DumpTable) -> [String] {
        var text = TextTable(table.columns.map { .init($0.title, $0.isNumeric ? .right : .left, narrow: narrow($0)) })
        for row in table.rows { text.add(row.map(cell)) }
        return text.lines(indent: 2, width: width)
    }

    private func narrow(_ column: DumpTable.Column) -> TextTable.Column.Narrow {
        switch column.narrow {
        case .stays: .stays
        case .below: .below
        case .hidden: .hidden
        }
    }

    private func cell(_ cell: DumpTable.Cell) -> String {
        switch cell {
        case .text(let text): PrintableName.of(text)
        case .bytes(let count): Quantity.bytes(UInt64(max(0, count)))
        }
    }
}
