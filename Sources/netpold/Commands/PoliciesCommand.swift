import Agent
import ArgumentParser
import Support

/// `netpold policies`.
struct PoliciesCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "List the policies that the agent has read, and whether they are in force on this node.",
        usage: "netpold policies [<options>]",
        discussion: """
            States: inForce; pending (read, and not yet in force as it is now); of a version that is refused: lastGood (an earlier \
            one is in force), isolated (the pods it selects are isolated), ignored (it has no effect); kept (deleted, and in force \
            until its namespace was asked about, or the pods of that are gone). Below the table: why a policy is refused or kept. \
            -o wide says where each is from; -o name prints what `netpold wait --policy` takes.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no policies"
    static func name(of row: PolicyReport) -> String {
        [row.kind, row.namespace, row.name].compactMap(\.self).joined(separator: "/")
    }

    static var columns: [RowColumn<PolicyReport>] {
        [
            RowColumn("namespace") { $0.namespace ?? "-" },
            RowColumn("name") { $0.name },
            RowColumn("kind") { $0.kind },
            RowColumn("state", mood: { mood($0.state) }) { $0.state.rawValue },
            RowColumn("generation", .right, isWide: true) { $0.generation.map(String.init) ?? "-" },
            RowColumn("from", isWide: true) { $0.origin },
        ]
    }

    static func remarks(_ rows: [PolicyReport], style: TextStyle, width: Int?) -> [String] {
        rows.compactMap { row in row.reason.map { "\(style.strong(row.text)): \($0)" } }
    }

    private static func mood(_ state: PolicyReport.State) -> RowColumn<PolicyReport>.Mood {
        switch state {
        case .inForce: .good
        case .pending, .kept: .notable
        case .lastGood, .isolated, .ignored: .bad
        }
    }
}
