import ArgumentParser
import BenchKit
import Support

/// `netpold bench-scale`: what following a large cluster costs, simulated with measured costs.
struct BenchScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-scale",
        abstract:
            "Simulate a large cluster: what agents cost its API server, and each agent, by how Pods are followed.",
        usage: "netpold bench-scale [<options>]",
        discussion: """
            Decoding and memory of a Pod are measured first; sizes are of recorded objects. Needs no root. Use a release build. See \
            docs/design/scale.md.
            """,
        shouldDisplay: false)

    @Option(help: "Nodes, with an agent each.")
    var nodes = 5_000

    @Option(help: "Pods.")
    var pods = 100_000

    @Option(help: ArgumentHelp("Part of the pods that is replaced in a minute.", valueName: "part"))
    var turnover = 0.002

    @Option(help: "Rollouts of a deployment of 100 pods in an hour.")
    var rollouts = 60

    @Option(help: ArgumentHelp("Part of the pods that some policy's selector may ask for.", valueName: "part"))
    var selected = 0.3

    func validate() throws {
        guard nodes > 0, pods > 0, rollouts >= 0 else { throw ValidationError("a cluster has nodes and pods") }
        guard (0...1).contains(turnover), (0...1).contains(selected) else {
            throw ValidationError("--turnover and --selected are parts: 0 to 1")
        }
    }

    func run() throws {
        var costs = ScaleCosts()
        try KubeBench(isShort: false).measure(&costs)
        var cluster = ScaleSimulation.Cluster()
        (cluster.nodes, cluster.pods, cluster.turnover) = (nodes, pods, turnover)
        (cluster.rollouts, cluster.selected) = (rollouts, selected)
        print(ScaleTable.render(cluster, costs, ScaleSimulation(cluster, costs).run()))
    }
}
