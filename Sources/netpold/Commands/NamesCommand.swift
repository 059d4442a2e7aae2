import Agent
import ArgumentParser
import Support

/// `netpold names`.
struct NamesCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "names",
        abstract: "Show which addresses pods have learnt of which names, and which names were refused.",
        usage: "netpold names [<options>]",
        discussion: """
            Addresses are learnt from the answers to a pod's own DNS queries, where a DNS rule covers them; they count for the \
            toFQDNs that the name satisfies until they end. One line for each pod, then its names and what was refused.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no pod has policies with names"
    static func name(of row: NameReport) -> String { row.pod }

    static var columns: [RowColumn<NameReport>] {
        [
            RowColumn("pod") { $0.pod },
            RowColumn("names", .right) { "\($0.names.count)" },
            RowColumn("entries", .right) { $0.entries.map(String.init) ?? "-" },
            RowColumn("no room", .right, mood: { ($0.refused ?? 0) > 0 ? .bad : .plain }) {
                $0.refused.map(String.init) ?? "-"
            },
            RowColumn("taught nothing", .right) { $0.unlearnt.map(String.init) ?? "-" },
        ]
    }

    static func remarks(_ rows: [NameReport], style: TextStyle, width: Int?) -> [String] {
        NamesRendering(style: style, width: width).lines(rows)
    }
}
