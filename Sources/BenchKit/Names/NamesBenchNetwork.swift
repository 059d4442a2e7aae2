import BPFEmit
import Datapath
import Glibc
import LabKit
import NetTypes
import PolicyAPI
import PolicyIR
import Support

/// A pod that asks and one that answers, and the policy between them.
final class NamesBenchNetwork {
    static let client = IPAddress(ipv4: 0x0af4_0902)
    static let resolver = IPAddress(ipv4: 0x0af4_0903)
    static let port: UInt16 = 53

    let routed: RoutedNetwork
    private let folder: BenchFolder
    private let image: NodeImage
    private var datapath: NodeDatapath?

    /// Builds it below /run/netpold; `close` takes it away.
    ///
    /// - Throws: what the system refused; what `check` throws, which is called after each pod.
    init(check: () throws -> Void) throws {
        image = Self.image()
        folder = try BenchFolder("bench-names")
        routed = try folder.build(
            NetworkLayout(
                nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
                attachments: [
                    .init(name: "client", nodeInterface: "npclient", addresses: [Self.client]),
                    .init(name: "resolver", nodeInterface: "npresolver", addresses: [Self.resolver]),
                ]), check: check)
    }

    /// Puts the policy into force.
    func install() throws {
        try routed.node.run {
            let datapath = try NodeDatapath(DatapathOptions(pins: nil))
            self.datapath = datapath
            let interfaces = Dictionary(
                uniqueKeysWithValues: image.endpoints.map { ($0.key, if_nametoindex("np\($0.name)")) })
            let report = try datapath.apply(image, interfaces: interfaces)
            guard report.endpoints.count == 2, report.endpoints.allSatisfy({ $0.failure == nil }) else {
                throw SystemError("attach netpold to", "both pods", nil)
            }
        }
    }

    /// Takes it away.
    func remove() throws {
        try routed.node.run { try datapath?.detach() }
        datapath = nil
    }

    func close() { folder.remove() }

    /// The client may ask for names below example.com, and connect to where they lead; nothing else.
    static func image() -> NodeImage {
        let pods = [("client", client), ("resolver", resolver)].map { name, address in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: bench, labels: {app: \(name)}}
            spec: {nodeName: node-1, containers: [{name: main}]}
            status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}]}
            """
        }
        let policy = """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: names, namespace: bench}
            spec:
              endpointSelector: {matchLabels: {app: client}}
              egress:
              - toEndpoints: [{matchLabels: {app: resolver}}]
                toPorts: [{ports: [{port: "\(port)", protocol: UDP}], rules: {dns: [{matchPattern: "*.example.com"}]}}]
              - toFQDNs: [{matchPattern: "*.example.com"}]
                toPorts: [{ports: [{port: "443", protocol: TCP}]}]
            """
        var decoder = ManifestDecoder()
        decoder.add(Array((pods + [policy]).joined(separator: "\n---\n").utf8), file: "bench-names.yaml")
        let objects = decoder.finish().objects
        var allocator = IdentityAllocator()
        return NodeCompiler.compile(
            objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, allocator: &allocator)
    }
}
