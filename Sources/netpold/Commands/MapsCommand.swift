import Agent
import ArgumentParser
import BPFEmit
import Support

/// `netpold maps`.
struct MapsCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "maps",
        abstract: "Show how full the kernel's tables are, and how much memory they take.",
        usage: "netpold maps [<options>]",
        discussion: """
            Counted at most every five seconds. What happens when a table is full is in docs/design/never-open.md: nothing that \
            policies deny passes. A dash: counting would say nothing.

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no tables: nothing was put in force yet"
    static func name(of row: CapacityUse) -> String { row.name }

    static var columns: [RowColumn<CapacityUse>] {
        [
            RowColumn("map") { $0.name },
            RowColumn("entries", .right, mood: { ($0.used ?? 0) * 10 >= $0.limit * 9 ? .bad : .plain }) {
                $0.used.map(String.init) ?? "-"
            },
            RowColumn("capacity", .right) { "\($0.limit)" },
            RowColumn("memory", .right) { $0.memoryBytes.map(Quantity.bytes) ?? "-" },
        ]
    }
}
