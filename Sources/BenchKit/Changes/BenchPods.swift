import Agent
import BPFEmit
import Datapath
import Glibc
import LabKit
import NetTypes
import Support

/// Pods of this node in network namespaces of their own.
final class BenchPods: NodeSource {
    /// The network.
    let routed: RoutedNetwork
    /// Where the agent may listen.
    let socket: String
    private let folder: String
    private let scanner: HostScanner

    /// Builds them; `remove` takes them away.
    ///
    /// - Throws: what the system refused.
    init(_ name: String, _ pods: [(name: String, addresses: [IPAddress])]) throws {
        folder = "/run/netpold/\(name)-\(getpid())"
        socket = folder + "/agent.sock"
        mkdir("/run/netpold", 0o755)
        guard mkdir(folder, 0o700) == 0 else { throw SystemError("make folder", folder, .current) }
        scanner = HostScanner(
            .init(namespaces: NetworkLayout.podsFolder(in: folder), cniCaches: [], processes: "/nonexistent"))
        do {
            routed = try RoutedNetwork.build(
                NetworkLayout(
                    nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
                    attachments: pods.enumerated().map { number, pod in
                        .init(name: pod.name, nodeInterface: "np\(number)", addresses: pod.addresses)
                    }), in: folder)
        } catch {
            try? RoutedNetwork.remove(folder: folder)
            throw error
        }
    }

    /// A file beside the namespaces.
    func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// Takes everything away.
    func remove() { try? RoutedNetwork.remove(folder: folder) }

    /// Looks at the node as the agent looks at a host.
    func evidence() throws -> HostEvidence { try routed.node.run { try scanner.evidence() } }

    /// Nothing tells: the agent looks at its own interval.
    func watch(_ changed: @escaping @Sendable () -> Void) throws {}
}
