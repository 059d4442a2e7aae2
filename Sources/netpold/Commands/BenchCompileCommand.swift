import ArgumentParser
import BenchKit

/// `netpold bench-compile`: how long compiling takes, beside the targets or beside another netpold.
struct BenchCompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-compile", abstract: "Measure compilation against its targets.",
        usage: "netpold bench-compile [<options>]",
        discussion: """
            1,000 policies, 10,000 pods, 50 of them local: from decoded objects to images, and one change at a time. Needs no root. \
            Use a release build.

            --against measures another netpold as well, both in turn in each round, and prints the median of the rounds' ratios: what \
            else the machine does meets both alike.
            """,
        shouldDisplay: false)

    @Option(help: "Runs of each measurement; the median counts.")
    var runs: Int?

    @Option(help: "Only this part: scratch, changes or wide. Default: all.")
    var part: CompileBench.Part?

    @Option(help: ArgumentHelp("Another netpold to compare with.", valueName: "path"))
    var against: String?

    @Option(help: "Rounds of a comparison.")
    var rounds = 9

    func validate() throws {
        guard runs ?? 1 > 0, rounds > 0 else { throw ValidationError("--runs and --rounds must be positive") }
    }

    func run() throws {
        if let against { return try compare(with: against) }
        print(CompileBenchTable.heading)
        CompileBench(runs: runs ?? 9, parts: part.map { [$0] } ?? Set(CompileBench.Part.allCases)).run {
            print(CompileBenchTable.line($0))
        }
    }

    private func compare(with other: String) throws {
        let arguments = ["--runs", "\(runs ?? 3)"] + (part.map { ["--part", $0.rawValue] } ?? [])
        let comparison = CompileComparison(with: other, rounds: rounds, arguments: arguments)
        print(CompileBenchTable.render(try comparison.run()))
    }
}
