import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-cores`.
struct BenchCoresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-cores",
        abstract: "Measure what a packet costs while another CPU handles packets of the same pod.",
        discussion: """
            Runs the loaded programs on packets with BPF_PROG_TEST_RUN, as bench does, on CPU 0, on CPU 1, and on both at once: the \
            same established flows on both, denied packets, and new flows that each opens. The parser alone is measured beside \
            them in the same rounds. Where a packet of two CPUs costs more than it does there, they write what they share. \
            Needs root and two CPUs that do nothing else. Use a release build.

            Exit codes: 0 measured; 1 with --check, a case is slower than it may be; 3 not root, one CPU, or a program could not \
            be run.
            """)

    @Option(help: "Rounds; medians are printed.")
    var rounds = 7

    @Option(help: "Packets of one measurement.")
    var packets = 500_000

    @Flag(help: "Exit with 1 if a case is slower than it may be.")
    var check = false

    func validate() throws {
        guard rounds > 0, packets > 0 else { throw ValidationError("--rounds and --packets must be positive") }
    }

    func run() throws {
        let report = try MeasuredRun.run(needsRoot: "bench-cores loads programs into the kernel") { progress in
            guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else {
                ErrorOutput.error("bench-cores needs two CPUs; this machine has one")
                throw ExitCode.machine
            }
            return try CoresBench(rounds: rounds, repetitions: packets).run(progress: progress.show)
        }
        print(CoresBenchTable.render(report))
        if check, !report.isMet { throw ExitCode.no }
    }
}
