import Agent
import ArgumentParser
import Support

/// `netpold services`.
struct ServicesCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List where this node's pods reach Services, and which endpoints may be chosen there.",
        usage: "netpold services [<options>]",
        discussion: """
            They are translated by netpold, or only watched, as the line "services" of `netpold status` says. A row without \
            backends: connections there are refused. -o wide lists the backends.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no Services, or Services are left to somebody else (`netpold status` says which)"
    static func name(of row: ServiceRow) -> String { row.service }

    static var columns: [RowColumn<ServiceRow>] {
        [
            RowColumn("service") { $0.service },
            RowColumn("address") { $0.address },
            RowColumn("port", .right) { "\($0.port)/\($0.protocol)" },
            RowColumn("name", isWide: true) { $0.portName ?? "-" },
            RowColumn("kind") { $0.kind },
            RowColumn("backends", .right, mood: { $0.backends.isEmpty ? .bad : .plain }) { "\($0.backends.count)" },
            RowColumn("at", isWide: true) { $0.backends.isEmpty ? "-" : $0.backends.joined(separator: ",") },
        ]
    }
}
