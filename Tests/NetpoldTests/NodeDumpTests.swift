import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Support
import Testing

@testable import netpold

@Suite struct NodeDumpTests {
    @Test("a compiled cluster prints as its golden files do", arguments: NodeDump.Form.allCases)
    func golden(form: NodeDump.Form) {
        let lines = NodeDumpText(style: TextStyle(isColoured: false)).lines(NodeDump(Self.state()), form)
        #expect(Snapshot.difference(lines.map { $0 + "\n" }.joined(), "shop.\(form.rawValue).txt") == nil)
    }

    @Test("with an endpoint, only its subject is printed")
    func endpoint() {
        let dump = NodeDump(Self.state(), endpoint: "shop/web")
        #expect(dump.shown.endpoints.map(\.name) == ["web"])
        #expect(dump.shown.subjects.map(\.key) == ["shop/app=web ports=http:8080/TCP"])
    }

    /// Two namespaces; an ipBlock with an exception, a named port on egress, a deny rule and the host.
    private static func state() -> CompilerState {
        var objects = ClusterObjects()
        objects.namespaces = [
            Namespace(metadata: ObjectMeta(name: "shop")), Namespace(metadata: ObjectMeta(name: "data")),
        ]
        objects.nodes = [Node(metadata: ObjectMeta(name: "node-1"), addresses: RandomCluster.addresses("192.168.0.1"))]
        for (place, namespace, name, port) in [
            (1, "shop", "web", ContainerPort(name: "http", protocol: .tcp, port: 8080)),
            (2, "shop", "api", ContainerPort(name: "http", protocol: .tcp, port: 80)),
            (3, "data", "db", ContainerPort(name: "sql", protocol: .tcp, port: 5432)),
        ] {
            objects.pods.append(
                Pod(
                    metadata: ObjectMeta(name: name, namespace: namespace, labels: ["app": name]),
                    nodeName: name == "db" ? "node-2" : "node-1", ports: [port],
                    addresses: RandomCluster.addresses("10.0.0.\(place)")))
        }
        let office = RandomCluster.prefixes("10.0.0.0/8", "10.0.0.2/32")
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(
                    name: "web", namespace: "shop", location: SourceLocation(file: "shop.yaml", line: 3, column: 1)),
                podSelector: LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: ["web"])]),
                policyTypes: [.ingress, .egress],
                ingress: [
                    NetworkPolicyRule(
                        peers: [.ipBlock(cidr: office[0], except: [office[1]])],
                        ports: [NetworkPolicyPort(protocol: .tcp, port: .named("http"))], path: "spec.ingress[0]")
                ],
                egress: [
                    NetworkPolicyRule(
                        peers: [.pods(namespaces: LabelSelector(), pods: nil)],
                        ports: [
                            NetworkPolicyPort(protocol: .tcp, port: .named("http")),
                            NetworkPolicyPort(protocol: .udp, port: .range(PortRange(53))),
                        ], path: "spec.egress[0]")
                ])
        ]
        var deny = CiliumElement(path: "spec.ingressDeny[0]")
        deny.entities = .some([.world])
        objects.ciliumPolicies = [
            CiliumPolicy(
                metadata: ObjectMeta(name: "no-world", namespace: "shop"), isClusterwide: false,
                rules: [
                    CiliumRule(subject: .endpoints(LabelSelector()), ingressDeny: [deny], defaultDenyIngress: false)
                ])
        ]
        return CompilerState(objects, policies: PolicyLowering.lower(objects).policies)
    }
}
