import Foundation
import Glibc
import Testing

@Suite("The bpffs that the agent pins to", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct BPFFilesystemTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "bpffs\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    /// A mount namespace of the agent's own; `script` runs in it first.
    private func unshared(_ script: String) -> [String] {
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\(script); exec \"$@\"", "sh"]
    }

    private func connects(_ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400)
            != nil
    }

    @Test("one that only the agent's mount namespace has is refused, and so is one that it would have to mount there")
    func refused() throws {
        for script in ["mount -t bpf none /sys/fs/bpf", "umount -l /sys/fs/bpf"] {
            agent.wrapper = unshared(script)
            let refusal = try agent.refusal()
            #expect(refusal.code == 3)
            #expect(
                refusal.output.contains("belongs to the mount namespace of this process alone"), "\(refusal.output)")
            #expect(refusal.output.contains("--allow-private-bpffs"))
        }
    }

    @Test("--allow-private-bpffs takes it; log and status say that it is private, and that the agent mounted it")
    func allowed() throws {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        agent.wrapper = unshared("umount -l /sys/fs/bpf")
        try agent.start(["--allow-private-bpffs"])
        #expect(try connects("green", 8001))
        #expect(try !connects("blue", 8001))
        let status = try agent.ask("status").output
        for (text, kind) in [("the agent mounted one", "bpffsMounted"), ("mount namespace alone", "bpffsPrivate")] {
            #expect(status.contains(text), "\(status)")
            #expect(agent.log.contains("warning") && agent.log.contains("condition=\(kind)"), "\(agent.log)")
        }
    }

    @Test("a mount namespace of its own is fine where the file system is the host's")
    func clone() throws {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        agent.wrapper = unshared("true")
        try agent.start()
        let status = try agent.ask("status").output
        #expect(!status.contains("bpffs"), "\(status)")
        agent.end(SIGKILL)
        #expect(try connects("green", 8001))
        #expect(try !connects("blue", 8001))
        agent.wrapper = []
        try agent.start()
        #expect(agent.log.contains("adopted=") && !agent.log.contains("adopted=0"), "\(agent.log)")
    }
}
