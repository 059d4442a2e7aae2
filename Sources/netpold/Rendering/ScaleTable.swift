import BenchKit
import Support

/// The result of `netpold bench-scale` as text, 80 columns.
enum ScaleTable {
    static func render(
        _ cluster: ScaleSimulation.Cluster, _ costs: ScaleCosts, _ outcomes: [ScaleSimulation.Outcome]
    ) -> String {
        var table = TextTable(
            [.init(minimumWidth: 24)] + outcomes.map { _ in .init("", .right, minimumWidth: 13) })
        table.add(["followed"] + outcomes.map { name($0.way) })
        func row(_ name: String, _ text: (ScaleSimulation.Outcome) -> String) { table.add([name] + outcomes.map(text)) }
        row("pods known by labels") { "\(Quantity.fixed($0.known * 100, places: $0.known < 0.01 ? 2 : 1)) %" }
        row("agent: start") { "\(Quantity.fixed($0.startBytes / 1e6, places: 0)) MB" }
        row("  events a second") { Quantity.fixed($0.eventsPerNode, places: 1) }
        row("  kB a second") { Quantity.fixed($0.bytesPerNode / 1e3, places: 1) }
        row("  decoding Pods, % core") { Quantity.fixed($0.decodeShare * 100, places: 3) }
        row("  memory for Pods") { "\(Quantity.fixed($0.memory / 1e6, places: 1)) MB" }
        row("server: writes a second") { Quantity.fixed($0.serverWrites, places: 0) }
        row("  MB a second") { Quantity.fixed($0.serverBytes / 1e6, places: 0) }
        row("  all agents start, TB") {
            Quantity.fixed($0.startBytes * Double(cluster.nodes) / 1e12, places: 3)
        }
        let head = """
            \(cluster.nodes) nodes, \(cluster.pods) pods; a Pod: \(Quantity.fixed(costs.pod / 1e3, places: 1)) kB, decoded in \
            \(Quantity.fixed(costs.podDecode / 1e3, places: 1)) us, \(Quantity.fixed(costs.podMemory / 1e3, places: 1)) kB resident

            """
        return head + table.lines().joined(separator: "\n")
    }

    private static func name(_ way: ScaleSimulation.Way) -> String {
        switch way {
        case .wholePods: "whole Pods"
        case .selectedPods: "by labels"
        case .metadata: "metadata"
        case .ownPods: "own Pods"
        }
    }
}
