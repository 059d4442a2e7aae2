import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what the datapath costs a packet, and compiling a cluster.",
        usage: "netpold bench [<options>]",
        discussion: """
            Runs the loaded programs on packets with BPF_PROG_TEST_RUN: packets of established flows, of new ones and denied \
            ones, to and from pods with policies of ingress only and with default deny in both directions; 1,000 rules, 10,000 \
            identities. Reference programs (nothing; parsing) run on the same packets in the same rounds. Each case is held \
            against what it may cost above parsing. Then compiling, as bench-compile does. Needs root. Use a release build.

            Exit codes: 0 measured; 1 with --check, a case costs more than it may; 3 not root, or a packet did not do what \
            its case says.
            """)

    @Option(help: "Rounds; the lowest and the median of each case are printed.")
    var rounds = 7

    @Option(help: "Packets of one measurement.")
    var packets = 200_000

    @Flag(help: "Leave out compiling.")
    var packetsOnly = false

    @Option(help: ArgumentHelp("Only packets of cases with this in their line, like 'denied SYN'.", valueName: "text"))
    var only = ""

    @Flag(help: "Exit with 1 if a case costs more than it may.")
    var check = false

    @Flag(help: "Print JSON, of the packets alone.")
    var json = false

    func validate() throws {
        guard rounds > 0, packets > 0 else { throw ValidationError("--rounds and --packets must be positive") }
        if json { ProgramAnswer.expect(.json) }
    }

    func run() throws {
        let report = try MeasuredRun.run(needsRoot: "bench loads programs into the kernel") { progress in
            let cases = PacketBenchCase.all.filter { only.isEmpty || $0.description.contains(only) }
            return try PacketBench(rounds: rounds, repetitions: packets).run(cases, progress: progress.show)
        }
        print(json ? try ProgramAnswer.text(report, .json) : PacketBenchTable.render(report))
        if !packetsOnly && !json {
            print("")
            try BenchCompileCommand.parse([]).run()
        }
        guard !check || report.isMet else {
            fflush(nil)
            let missed = report.results.filter { !$0.isMet }
            ErrorOutput.error(
                "\(missed.count) case\(missed.count == 1 ? "" : "s") above what they may cost: "
                    + missed.map { "\($0.bench)" }.joined(separator: "; "))
            throw ExitCode.no
        }
    }
}
