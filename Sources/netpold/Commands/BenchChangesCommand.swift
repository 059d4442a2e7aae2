import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-changes`.
struct BenchChangesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-changes",
        abstract: "Measure the agent: from the edit of a policy until it is in force.",
        discussion: """
            1,000 policies, 10,000 pods, 50 of them on this node in network namespaces of their own. Prints how long the parts \
            take and what CPU time an edit costs. Needs root. Use a release build.
            """)

    @Option(help: "Edits, one after the other.")
    var edits = 200

    func validate() throws {
        guard edits > 0 else { throw ValidationError("--edits must be positive") }
    }

    func run() async throws {
        let samples = try await MeasuredRun.run(
            needsRoot: "bench-changes makes network namespaces",
            waiting: { progress in try await ChangeBench(edits: edits).run(Interrupt(), progress: progress.show) })
        print(ChangeBenchTable.render(samples))
    }
}
