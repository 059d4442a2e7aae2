import Agent
import Glibc
import Testing

/// What the agent may not look at is never taken for nothing.
@Suite("edges: namespaces that cannot be looked at", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct UnreadableNamespaceTests {
    @Test("without CAP_SYS_ADMIN no namespace can be entered: the agent refuses to start, and says why")
    func noEntry() throws {
        let world = try EdgeWorld()
        let run = try world.agent.once(under: ["setpriv", "--bounding-set=-sys_admin"])
        #expect(run.code == 3, "\(run.output)")
        #expect(run.output.contains("CAP_SYS_ADMIN"))
        // With the capability, all is well.
        #expect(try world.agent.once(under: []).code == 0)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test(
        "without CAP_SYS_PTRACE the namespaces of pods' processes cannot be told: a severe condition, and --once fails")
    func noProcesses() throws {
        let world = try EdgeWorld()
        let cgroup = try PodCgroupFixture(uid: EdgeWorld.uids["spy"] ?? "")
        let process = try cgroup.process(in: "\(world.network.podsFolder)/spy")
        defer { withExtendedLifetime(process) {} }
        let run = try world.agent.once(under: ["setpriv", "--bounding-set=-sys_ptrace,-sys_nice"])
        #expect(run.code == 1, "\(run.output)")
        #expect(run.output.contains("condition=evidenceUnreadable subject=\"pod \(cgroup.uid)\""), "\(run.output)")
        #expect(run.output.contains("CAP_SYS_PTRACE"))
        #expect(try world.agent.once(under: []).code == 0)
    }
}
