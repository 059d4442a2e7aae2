import Agent
import ArgumentParser
import Support

/// `netpold identities`.
struct IdentitiesCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "identities",
        abstract: "List what the identity numbers of this node stand for, and how many addresses have each.",
        usage: "netpold identities [<options>]",
        discussion: """
            An identity is a class of remote ends that no policy can tell apart: pods with the same labels, as far as policies \
            ask for them, a node, a prefix. Reserved numbers are Cilium's: 1 host, 2 world, ... Numbers are of this node; \
            another node gives others.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no identities: nothing was put in force yet"
    static func name(of row: IdentityReport) -> String { "\(row.identity)" }

    static var columns: [RowColumn<IdentityReport>] {
        [
            RowColumn("identity", .right) { "\($0.identity)" },
            RowColumn("addresses", .right) { "\($0.addresses)" },
            RowColumn("prefixes", .right) { "\($0.prefixes)" },
            RowColumn("stands for", narrow: .below) { $0.label },
        ]
    }
}
