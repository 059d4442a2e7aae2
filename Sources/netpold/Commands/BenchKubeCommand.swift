import ArgumentParser
import BenchKit
import Support

/// `netpold bench-kube`: what following the Pods of an API server costs, beside the goals.
struct BenchKubeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-kube", abstract: "Measure reading Pods of an API server against its goals.",
        discussion: """
            Lists of 10,000 and 100,000 Pods of 5.7 kB as a kube-apiserver writes them, in pages as the agent asks for them but \
            without a network, and 1,000 events a second. Needs no root. Use a release build.
            """,
        shouldDisplay: false)

    @Flag(help: "1,000 Pods: shows that it runs, no figures to keep.")
    var short = false

    func run() throws {
        var table = TextTable([
            .init(minimumWidth: 56), .init("", .right, minimumWidth: 34), .init(minimumWidth: 2), .init(),
        ])
        table.add(["CPU and memory", "measured", "", "goal"])
        try KubeBench(isShort: short).run { finding in
            table.add([finding.name, finding.value, "", finding.goal + (finding.isMet ? "" : "  MISSED")])
        }
        print(table.lines().joined(separator: "\n"))
    }
}
