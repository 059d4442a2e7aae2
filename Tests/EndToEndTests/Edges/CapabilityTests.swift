import Glibc
import Testing

@Suite(
    "The agent with the capabilities it needs and no others", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CapabilityTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "caps\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    /// `setpriv` with nothing but these.
    private func only(_ capabilities: [String]) -> [String] {
        [
            "setpriv", "--inh-caps=-all",
            "--bounding-set=" + (["-all"] + capabilities.map { "+\($0)" }).joined(separator: ","),
        ]
    }

    private func connects(_ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400)
            != nil
    }

    @Test(
        "it starts, enforces, adopts and changes policies with exactly those of docs/reference/capabilities.md",
        arguments: [
            ["bpf", "net_admin", "perfmon", "sys_admin", "sys_ptrace"], ["net_admin", "sys_admin", "sys_ptrace"],
        ])
    func minimum(capabilities: [String]) throws {
        let listeners = try [8001, 8002].map { try PodSocket.listener(in: network.namespace("server"), port: $0) }
        defer { withExtendedLifetime(listeners) {} }
        agent.wrapper = only(capabilities)
        for _ in 0..<2 {
            try agent.start()
            #expect(try connects("green", 8001))
            #expect(try !connects("blue", 8001))
            agent.end(SIGKILL)
        }
        try agent.start()
        try agent.write("policy.yaml", SwapCluster.second)
        try agent.settle()
        #expect(try connects("blue", 8002))
        #expect(try !connects("green", 8001))
    }

    @Test(
        "a missing one is one error that names it, and nothing is pinned",
        arguments: [
            (["bpf", "perfmon", "sys_admin", "sys_ptrace"], "CAP_NET_ADMIN"),
            (["bpf", "perfmon", "net_admin", "sys_ptrace"], "CAP_SYS_ADMIN"),
        ])
    func missing(capabilities: [String], name: String) throws {
        agent.wrapper = only(capabilities)
        let refusal = try agent.refusal()
        #expect(refusal.code == 3)
        #expect(refusal.output.hasPrefix("error: "))
        #expect(refusal.output.contains("lacks \(name), which "), "\(refusal.output)")
        #expect(refusal.output.split(separator: "\n").count == 1, "\(refusal.output)")
        #expect(try agent.detach().output.hasPrefix("nothing of instance"))
    }

    @Test("without CAP_SYS_PTRACE it enforces what it can, and a condition names the capability")
    func withoutPtrace() throws {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        agent.wrapper = only(["bpf", "net_admin", "perfmon", "sys_admin"])
        try agent.start()
        #expect(try agent.ask("status").output.contains("CAP_SYS_PTRACE"))
        #expect(try connects("green", 8001))
        #expect(try !connects("blue", 8001))
    }
}
