import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what the datapath costs a packet, and compiling a cluster.",
        discussion: """
            Runs the loaded programs on packets with BPF_PROG_TEST_RUN: packets of established flows, of new ones and denied \
            ones, with 1 to 1,000 rules and 100 to 100,000 identities, with and without a reader of events. Reference programs \
            (nothing; parsing; parsing and one hash lookup) run in the same rounds; of each measurement the least disturbed \
            round counts. Then compiling, as bench-compile does. Needs root. Use a release build.
            """)

    @Option(help: "Rounds; the lowest of each measurement is printed.")
    var rounds = 5

    @Option(help: "Packets of one measurement.")
    var packets = 200_000

    @Flag(help: "Leave out compiling.")
    var packetsOnly = false

    func validate() throws {
        guard rounds > 0, packets > 0 else { throw ValidationError("--rounds and --packets must be positive") }
    }

    func run() throws {
        guard geteuid() == 0 else {
            ErrorOutput.error("bench loads programs into the kernel: run it as root")
            throw ExitCode.machine
        }
        let progress = ProgressLine()
        let bench = try PacketBench(rounds: rounds, repetitions: packets)
        let report = try bench.run(PacketBenchCase.all, progress: progress.show)
        progress.clear()
        print(PacketBenchTable.render(report, cases: PacketBenchCase.all))
        guard !packetsOnly else { return }
        print("")
        try BenchCompileCommand.parse([]).run()
    }
}
