import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-names`.
struct BenchNamesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-names",
        abstract: "Measure what DNS rules cost: the latency of allowed answers, and the time of the programs.",
        usage: "netpold bench-names [<options>]",
        discussion: """
            Builds a pod that asks and one that answers in network namespaces of their own. 100 resolvers ask at an even pace, with no \
            policy and with DNS rules and toFQDNs by turns in the same run; the CPUs are to be idle for half of the time at \
            least, else --rate is too high for the machine. Queries and answers of four addresses are also given to the datapath's \
            programs alone, all checks included. Needs root. Use a release build on a machine that does nothing else.

            Exit codes: 0 measured; 1 with --check: a limit is missed; 3 not root, or the machine cannot do it; 128 + n ended by \
            signal n.
            """)

    @Option(help: "Rounds; the median is printed.")
    var rounds = 9

    @Option(help: "Queries a second, of all resolvers.")
    var rate = 5_000

    @Option(help: "Seconds of each measurement of latency.")
    var seconds = 2

    @Flag(help: "Fail when a limit is missed.")
    var check = false

    func validate() throws {
        guard (1...15).contains(rounds) else { throw ValidationError("--rounds \(rounds): 1 to 15") }
        guard (1...1_000_000).contains(rate), seconds > 0 else {
            throw ValidationError("--rate and --seconds must be positive")
        }
    }

    func run() throws {
        let report = try MeasuredRun.run(needsRoot: "bench-names makes network namespaces") { progress in
            try NamesBench(rounds: rounds, rate: rate, seconds: seconds).run(Interrupt(), progress: progress.show)
        }
        print(BenchNamesTable.render(report))
        if check, !report.figures.allSatisfy(\.isMet) { throw ExitCode.no }
    }
}
