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
    private let folder: BenchFolder
    private let scanner: HostScanner

    /// Builds them; `remove` takes them away.
    ///
    /// - Throws: what the system refused; what `check` throws, which is called after each pod.
    init(_ name: String, _ pods: [(name: String, addresses: [IPAddress])], check: () throws -> Void) throws {
        folder = try BenchFolder(name)
        socket = folder.file("agent.sock")
        scanner = HostScanner(
            .init(namespaces: NetworkLayout.podsFolder(in: folder.network), cniCaches: [], processes: "/nonexistent"))
        routed = try folder.build(
            NetworkLayout(
                nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
                attachments: pods.enumerated().map { number, pod in
                    .init(name: pod.name, nodeInterface: "np\(number)", addresses: pod.addresses)
                }), check: check)
    }

    /// A file beside the namespaces.
    func file(_ name: String) -> String { folder.file(name) }

    /// Takes everything away.
    func remove() { folder.remove() }

    /// Looks at the node as the agent looks at a host.
    func evidence() throws -> HostEvidence { try routed.node.run { try scanner.evidence() } }

    /// Nothing tells: the agent looks at its own interval.
    func watch(_ changed: @escaping @Sendable () -> Void) throws {}
}
