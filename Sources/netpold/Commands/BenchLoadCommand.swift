import ArgumentParser
import BenchKit
import Support

/// `netpold bench-load`: what commands on big manifests take, beside the goals.
struct BenchLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-load", abstract: "Measure compile and lint of big manifests, from start to end.",
        discussion: """
            Writes the cluster of bench-compile as one YAML file, and another with 10,000 policies, and runs this program on them as \
            processes of their own. Needs no root. Use a release build.
            """,
        shouldDisplay: false)

    @Option(help: "Runs of each command; the median counts.")
    var runs = 5

    func run() throws {
        var table = TextTable([
            .init(minimumWidth: 56), .init("", .right, minimumWidth: 9), .init("", .right, minimumWidth: 10),
            .init(minimumWidth: 2), .init(),
        ])
        table.add(["command", "wall", "CPU", "", "goal"])
        try MeasuredRun.run(needsRoot: nil) { _ in
            try LoadBench(runs: runs).run(Interrupt()) { finding in
                let isMet = finding.wall <= finding.goal
                table.add([
                    finding.name, Self.text(finding.wall), Self.text(finding.cpu), "",
                    "<= \(Self.text(finding.goal))\(isMet ? "" : "  MISSED")",
                ])
            }
        }
        print(table.lines().joined(separator: "\n"))
    }

    private static func text(_ duration: Duration) -> String {
        "\(Quantity.fixed(Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15, places: 0)) ms"
    }
}
