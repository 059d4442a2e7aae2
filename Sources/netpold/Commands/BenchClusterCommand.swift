import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-cluster`.
struct BenchClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-cluster",
        abstract:
            "Measure the agent on an API server: a change until it is in force, memory, CPU while nothing changes.",
        usage: "netpold bench-cluster [<options>]",
        discussion: """
            10,000 Pods (or --pods), 1,001 policies, 50 pods on this node in network namespaces of their own; the API server is a process of its \
            own, over TLS. Prints how long the parts of a change take, and what the agent costs. Needs root. Use a release build.

            Exit codes: 0 measured; 1 with --check, a goal is missed; 3 not root, or the machine cannot do it; 128 + n ended by signal n.
            """)

    @Option(help: "Changes of each kind.")
    var edits = 200

    @Option(help: ArgumentHelp("How long nothing changes while the agent's CPU time is taken.", valueName: "seconds"))
    var idle = 65

    @Option(
        help: ArgumentHelp(
            "Pods of the cluster, in hundreds; memory may be 60 MiB up to 10,000, else 400.", valueName: "count"))
    var pods = 10_000

    @Flag(help: "Exit with 1 when a goal is missed.")
    var check = false

    func validate() throws {
        guard edits > 0 else { throw ValidationError("--edits must be positive") }
        guard (2000...100_000).contains(pods), pods % 100 == 0 else {
            throw ValidationError("--pods must be a multiple of 100 from 2,000 to 100,000")
        }
        guard idle > 0 else { throw ValidationError("--idle must be positive") }
    }

    func run() async throws {
        let report = try await MeasuredRun.run(
            needsRoot: "bench-cluster makes network namespaces",
            waiting: { progress in
                FreeMemory.keepLittle()
                return try await ClusterBench(edits: edits, idle: .seconds(idle), pods: pods).run(
                    Interrupt(), progress: progress.show)
            })
        let table = ClusterBenchTable(report)
        print(table.text)
        if check, !table.isMet { throw ExitCode.no }
    }
}

/// `netpold bench-cluster-server`: the API server of `bench-cluster`. Started by it.
struct BenchClusterServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-cluster-server", abstract: "The API server of bench-cluster.", shouldDisplay: false)

    @Argument(help: "Where the kubeconfig is written.")
    var kubeconfig: String

    @Argument(help: "Pods of each of the 100 namespaces.")
    var podsPerNamespace: Int

    func run() async throws {
        try await ClusterServer.run(kubeconfig: kubeconfig, podsPerNamespace: podsPerNamespace)
    }
}
