import BPFEmit
import Datapath
import Glibc
import PolicyAPI
import PolicyIR
import Support

/// The benchmark's policy compiled and loaded by netpold, attached to both pods' veths.
final class NetpoldEnforcement: Enforcement {
    let name: String
    private let fastPath: FastPathMode
    private let network: BenchNetwork
    private let image: NodeImage
    private var datapath: NodeDatapath?

    init(_ network: BenchNetwork, name: String, fastPath: FastPathMode = .off) throws {
        self.network = network
        self.name = name
        self.fastPath = fastPath
        var decoder = ManifestDecoder()
        decoder.add(Array(Self.manifests(network).utf8), file: "bench-net.yaml")
        let objects = decoder.finish().objects
        var allocator = IdentityAllocator()
        image = NodeCompiler.compile(
            objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, allocator: &allocator)
    }

    func install() throws {
        try network.routed.node.run {
            var options = DatapathOptions(pins: nil)
            options.fastPath = fastPath
            let datapath = try NodeDatapath(options)
            self.datapath = datapath
            let interfaces = Dictionary(
                uniqueKeysWithValues: image.endpoints.map { ($0.key, if_nametoindex("np\($0.name)")) })
            let report = try datapath.apply(image, interfaces: interfaces)
            guard report.endpoints.count == 2, report.endpoints.allSatisfy({ $0.failure == nil }) else {
                throw SystemError("attach netpold to", "both pods", nil)
            }
            let choice = try datapath.refreshFastPath()
            guard fastPath == .off || choice?.pods == 2 else {
                throw SystemError("send past the stack", "the pods' flows", nil, detail: choice?.reason)
            }
        }
    }

    func remove() throws {
        try network.routed.node.run { try datapath?.detach() }
        datapath = nil
    }

    /// Default deny in both directions for both pods; the client may reach the server's ports.
    private static func manifests(_ network: BenchNetwork) -> String {
        let pods = [("client", network.client), ("server", network.server)].map { name, address in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: bench, labels: {app: \(name)}}
            spec: {nodeName: node-1, containers: [{name: main}]}
            status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}]}
            """
        }
        let ports =
            "[{protocol: UDP, port: \(network.udpPort)}, "
            + "{protocol: TCP, port: \(network.tcpPorts.first ?? 0), endPort: \(network.tcpPorts.last ?? 0)}]"
        let policy = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: deny, namespace: bench}
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: server, namespace: bench}
            spec:
              podSelector: {matchLabels: {app: server}}
              policyTypes: [Ingress]
              ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: \(ports)}]
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: client, namespace: bench}
            spec:
              podSelector: {matchLabels: {app: client}}
              policyTypes: [Egress]
              egress: [{to: [{podSelector: {matchLabels: {app: server}}}], ports: \(ports)}]
            """
        return (pods + [policy]).joined(separator: "\n---\n")
    }
}
