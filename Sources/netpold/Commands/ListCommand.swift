import Agent
import ArgumentParser
import Support

/// A command that lists rows of the running agent.
protocol ListCommand: ParsableCommand {
    /// What it lists.
    associatedtype Row: ListingRow
    /// Its options.
    var list: ListOptions { get }
    /// The columns of its table.
    static var columns: [RowColumn<Row>] { get }
    /// What is printed where there are no rows.
    static var nothing: String { get }
    /// The name of a row, for `-o name`.
    static func name(of row: Row) -> String
    /// Lines below the table: what does not fit into it; a table there has room for `width` characters a line.
    static func remarks(_ rows: [Row], style: TextStyle, width: Int?) -> [String]
}

extension ListCommand {
    static func remarks(_ rows: [Row], style: TextStyle, width: Int?) -> [String] { [] }

    /// The exit codes of every such command.
    static var exitCodes: String { "Exit codes: 0 listed; 1 no agent answers in time; 2 wrong arguments." }

    func validate() throws {
        if !Row.listing.hasNamespaces, list.namespace != nil {
            throw ValidationError("\(Row.listing.rawValue) are of no namespace; leave -n out")
        }
    }

    func run() throws {
        let agent = try AgentConnection(list.instance, timeout: list.timeout.duration)
        let (rows, leftOut) = try agent.list(Row.self, namespace: list.namespace)
        switch list.form {
        case .json, .yaml: print(try list.forms.render(rows))
        case .name:
            var seen: Set<String> = []
            for row in rows where seen.insert(Self.name(of: row)).inserted { print(Self.name(of: row)) }
        case .table, .wide: show(rows, isWide: list.form == .wide)
        }
        if leftOut > 0 {
            ErrorOutput.write("\(leftOut) more rows not shown; -n limits the list to one namespace\n")
        }
    }

    private func show(_ rows: [Row], isWide: Bool) {
        guard !rows.isEmpty else { return print(Self.nothing) }
        let output = Terminal.output
        let table = RowTable(
            style: output.style, columns: Self.columns.filter { isWide || !$0.isWide },
            width: isWide ? nil : output.tableWidth)
        let remarks = Self.remarks(rows, style: output.style, width: isWide ? nil : output.tableWidth)
        for line in table.lines(rows) + (remarks.isEmpty ? [] : [""] + remarks) { print(line) }
    }
}
