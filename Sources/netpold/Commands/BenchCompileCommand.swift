import ArgumentParser
import BPFEmit
import BenchKit
import Glibc
import NetTypes

/// `netpold bench-compile`: how long compiling takes, beside the targets.
struct BenchCompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-compile", abstract: "Measure compilation against its targets.",
        discussion: """
            1,000 policies, 10,000 pods, 50 of them local: from decoded objects to images, and one change at a time. Needs no root. \
            Use a release build.
            """,
        shouldDisplay: false)

    @Option(help: "Runs of each measurement; the median counts.")
    var runs = 9

    func run() throws {
        print(CompileBenchTable.heading)
        CompileBench(runs: runs).run { print(CompileBenchTable.line($0)) }
    }
}
