import Foundation
import Glibc
import Testing

@Suite("The agent in a container as the DaemonSet has it", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct DeployedAgentTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "deploy\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    private func connects(_ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400)
            != nil
    }

    /// What a container runtime does for the container: a root of its own that cannot be written, the volumes by their
    /// propagation, the capabilities that are left. The image is this machine's /usr, the built netpold and the test's folder.
    private func contained(_ container: DeployContainer) throws -> [String] {
        let root = "\(agent.folder)/root"
        let build = RunningAgent.executable.deletingLastPathComponent().path()
        var script = """
            mkdir -p \(root)
            mount -t tmpfs root \(root)
            mkdir -p \(root)/proc \(root)/sys \(root)/dev
            mount --rbind /proc \(root)/proc
            mount -o bind,ro /sys \(root)/sys
            mount -o remount,bind,ro \(root)/sys
            mount --bind /dev \(root)/dev
            for folder in /usr /lib /lib64 /etc /opt '\(build)' '\(agent.folder)'; do
                [ -e "$folder" ] || continue
                mkdir -p \(root)$folder
                mount --rbind $folder \(root)$folder
            done

            """
        for mount in try container.mounts {
            let place = root + mount.inside
            let propagation = ["HostToContainer": "rslave", "Bidirectional": "rshared", "None": "rprivate"]
            guard let kind = propagation[mount.propagation] else { throw PodNetworkError(mount.propagation) }
            script += "mkdir -p \(mount.host) \(place)\nmount --rbind \(mount.host) \(place)\n"
            script += "mount --make-\(kind) \(place)\n"
            if mount.isReadOnly { script += "mount -o remount,bind,ro \(place)\n" }
        }
        script += "mount -o remount,ro \(root)\nexec chroot \(root) \"$@\""
        let left = try #require(container.capabilities).sorted().map { "+\($0.lowercased())" }
        return [
            "unshare", "--mount", "--propagation", "slave", "sh", "-ec", script, "sh", "setpriv", "--inh-caps=-all",
            "--bounding-set=" + (["-all"] + left).joined(separator: ","), "--no-new-privs",
        ]
    }

    @Test("it starts, enforces, changes policies, is killed and adopts what it left; nothing is missing in its status")
    func enforces() throws {
        let file = DeployTools.repository.appending(path: "deploy/kustomize/base/agent.yaml")
        let objects = try DeployObjects(String(contentsOf: file, encoding: .utf8))
        let listeners = try [8001, 8002].map { try PodSocket.listener(in: network.namespace("server"), port: $0) }
        defer { withExtendedLifetime(listeners) {} }
        agent.wrapper = try contained(objects.container("agent", of: "DaemonSet/netpold-agent"))
        try agent.start()
        #expect(try connects("green", 8001) && !connects("blue", 8001))
        let status = try agent.ask("status")
        #expect(status.code == 0 && !status.output.contains("CAP_") && !status.output.contains("bpffs"), "\(status)")
        agent.end(SIGKILL)
        #expect(try connects("green", 8001) && !connects("blue", 8001))
        try agent.start()
        #expect(agent.log.contains("adopted=") && !agent.log.contains("adopted=0"), "\(agent.log)")
        try agent.write("policy.yaml", SwapCluster.second)
        try agent.settle()
        #expect(try connects("blue", 8002) && !connects("green", 8001))
    }
}
