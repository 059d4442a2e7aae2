import BPFEmit
import BPFSimulate
import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@Suite("deny stubs")
struct DenyStubTests {
    private static let node = IPAddress(ipv4: 0x0a00_0001)
    private static let pod = IPAddress(ipv4: 0x0a00_0010)
    private static let stub = IPAddress(ipv4: 0x0a00_0020)
    private static let elsewhere = IPAddress(ipv4: 0x0101_0101)

    /// A pod, a node, and policies of every tier that allow everything to everybody, stubs added.
    private static func image(_ stubs: [DenyStub]) throws -> NodeImage {
        var objects = ClusterObjects()
        objects.nodes = [Node(metadata: ObjectMeta(name: "n"), addresses: [node])]
        objects.pods = [Pod(metadata: ObjectMeta(name: "web", namespace: "shop"), nodeName: "n", addresses: [pod])]
        objects.namespaces = [Namespace(metadata: ObjectMeta(name: "shop"))]
        func open(_ direction: Direction) -> DirectionRules {
            DirectionRules(
                isolates: false,
                rules: [Tier.admin, .normal].map {
                    PolicyRule(tier: $0, action: .allow, peers: .everyone, traffic: .everything, origin: origin)
                })
        }
        let everybody = LoweredPolicy(
            subject: .pods(.matching(LabelSelector()), LabelSelector()), ingress: open(.ingress), egress: open(.egress),
            origin: origin)
        let state = CompilerState(objects, policies: [everybody], localNode: "n")
        return try state.image.adding(stubs, node: [node])
    }

    private static let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "shop", name: "open", path: "")

    private static func stubs(_ addresses: [IPAddress]) -> [DenyStub] {
        [DenyStub(key: EndpointKey(namespace: DenyStub.namespace, name: "ns7:7"), addresses: addresses)]
    }

    @Test(
        "the node reaches it and nobody else, and it reaches nobody, whatever policies of whatever tier allow everybody"
    )
    func decides() throws {
        let simulator = try NodeSimulator(try Self.image(Self.stubs([Self.stub])))
        func answers(_ from: IPAddress, _ to: IPAddress) throws -> (egress: PolicyVerdict?, ingress: PolicyVerdict?) {
            let answers = try simulator.decide(from: from, to: to, protocol: .tcp, port: 80)
            return (answers.egress?.verdict, answers.ingress?.verdict)
        }
        #expect(try answers(Self.node, Self.stub) == (nil, .allow))
        #expect(try answers(Self.pod, Self.stub) == (.allow, .deny))
        #expect(try answers(Self.elsewhere, Self.stub) == (nil, .deny))
        #expect(try answers(Self.stub, Self.pod) == (.deny, .allow))
        #expect(try answers(Self.stub, Self.elsewhere) == (.deny, nil))
        #expect(try answers(Self.stub, Self.node) == (.deny, nil))
    }

    @Test("its addresses are nobody's to others, and those of a pod or node stay theirs")
    func addresses() throws {
        let image = try Self.image(Self.stubs([Self.stub, Self.pod, Self.node]))
        let plain = try Self.image([])
        let added = Set(image.addresses).subtracting(plain.addresses)
        #expect(added == [AddressEntry(address: Self.stub, identity: ReservedIdentity.unknown.rawValue)])
        #expect(Set(plain.addresses).isSubset(of: image.addresses))
        let endpoint = try #require(image.endpoints.first { $0.namespace == DenyStub.namespace })
        #expect(endpoint.addresses == [Self.stub])
        #expect(image.addresses == image.addresses.sorted { $0.address < $1.address })
    }

    @Test("without stubs nothing is added, and two stubs share one subject")
    func shared() throws {
        let none = try Self.image([])
        #expect(!none.subjects.contains { $0.key == DenyStub.subject })
        let two =
            Self.stubs([Self.stub]) + [
                DenyStub(key: EndpointKey(namespace: DenyStub.namespace, name: "ns8:8"), addresses: [Self.stub])
            ]
        let image = try Self.image(two)
        #expect(image.subjects.count == none.subjects.count + 1)
        #expect(image.addresses.count == none.addresses.count + 1)
        #expect(image.endpoints.count == none.endpoints.count + 2)
    }
}
