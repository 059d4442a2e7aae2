import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-agent`.
struct BenchAgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-agent",
        abstract:
            "Measure policy edits and status of an agent, quiet and with a monitor and a flood of denied packets.",
        usage: "netpold bench-agent [<options>]",
        discussion: """
            Builds two pods in network namespaces of their own and starts an agent on them. Prints how long a policy edit takes \
            to be in force and how long `status` takes, first with nothing else going on, then with a monitor open and one \
            pod sending what is denied. Needs root. Use a release build.

            Exit codes: 0 measured, whether or not the goals are met; 3 not root, or the machine cannot do it; 128 + n ended by \
            signal n.
            """)

    @Option(help: "Policy edits of each phase.")
    var edits = 30

    @Option(help: "Policies that select the flooded pod.")
    var policies = 300

    @Option(help: "Denied packets a second.")
    var rate = 50_000

    func validate() throws {
        guard edits > 0, policies > 0, rate > 0 else { throw ValidationError("all numbers must be positive") }
    }

    func run() throws {
        let report = try MeasuredRun.run(needsRoot: "bench-agent makes network namespaces") { progress in
            try AgentBench(edits: edits, policies: policies, rate: rate).run(Interrupt(), progress: progress.show)
        }
        AgentBenchTable.lines(report).forEach { print($0) }
    }
}
