import Agent
import ArgumentParser
import Support

/// `netpold conntrack`.
struct ConntrackCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "conntrack",
        abstract: "List the flows that are remembered for this node's pods.",
        usage: "netpold conntrack [<options>]",
        discussion: """
            The direction is that of the policy that admitted the flow: egress where the pod began it, ingress where the other \
            end did. A flow between two pods of the node is listed for each. Only flows are \
            remembered whose answers a policy of the pod could refuse. "via" is the Service that the pod talks to, or the \
            backend of one. At most 2000 are listed, and standard error says how many are left out: -n narrows it down.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no flows"
    static func name(of row: FlowRow) -> String { "\(row.pod) \(row.protocol) \(row.own) \(row.remote)" }

    static var columns: [RowColumn<FlowRow>] {
        [
            RowColumn("pod") { $0.pod },
            RowColumn("direction") { $0.direction },
            RowColumn("proto") { $0.protocol },
            RowColumn("pod's end", narrow: .below) { $0.own },
            RowColumn("other end", narrow: .below) { $0.remote },
            RowColumn("via", isWide: true) { $0.translated ?? "-" },
            RowColumn("state", mood: { $0.isAnswered ? .plain : .notable }) { row in
                row.isClosing ? "closing" : row.isAnswered ? "answered" : "unanswered"
            },
            RowColumn("silent", .right) { Quantity.duration(seconds: UInt64($0.silentSeconds)) },
            RowColumn("rev", .right, isWide: true) { "\($0.revision)" },
        ]
    }
}
