import Agent
import Foundation
import Glibc
import Testing

/// What the benchmarks that build networks leave on the machine.
@Suite("benchmarks", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct BenchCommandTests {
    /// What is left of a run.
    private static func left(by bench: String, _ process: pid_t) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: InstancePaths.folder)) ?? []
        return names.filter { $0.hasPrefix("\(bench)-\(process)") }
    }

    @Test("bench-agent leaves nothing", .timeLimit(.minutes(5)))
    func agent() throws {
        let run = try BuiltNetpold.start(["bench-agent", "--edits", "1", "--policies", "3", "--rate", "100"])
        let process = run.process.processIdentifier
        let ended = try run.finish()
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(Self.left(by: "bench-agent", process) == [])
    }

    @Test("Ctrl-C ends bench-cluster while it measures, and nothing is left", .timeLimit(.minutes(5)))
    func interrupted() throws {
        let run = try BuiltNetpold.start(["bench-cluster", "--edits", "100000", "--pods", "2000"])
        let process = run.process.processIdentifier
        // As a terminal does: to all of the group, which is not that of the tests.
        try #require(getpgid(process) == process)
        let kubeconfig = "\(InstancePaths.folder)/bench-cluster-\(process)/kubeconfig"
        while access(kubeconfig, F_OK) != 0, run.process.isRunning { usleep(20_000) }
        usleep(500_000)
        kill(-process, SIGINT)
        let begin = ContinuousClock.now
        let ended = try run.finish()
        #expect(ended.code == 130, "\(ended.errors)")
        #expect(ContinuousClock.now - begin < .seconds(60))
        #expect(Self.left(by: "bench-cluster", process) == [])
    }
}
