import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// What changes of one kind touch, and what they leave alone.
@Suite struct CompilerStateApplyTests {
    private static func policy(_ name: String, in namespace: String, from peers: [NetworkPolicyPeer]) -> NetworkPolicy {
        NetworkPolicy(
            metadata: ObjectMeta(name: name, namespace: namespace), podSelector: LabelSelector(),
            policyTypes: [.ingress], ingress: [NetworkPolicyRule(peers: peers, ports: [], path: "spec.ingress[0]")],
            egress: [])
    }

    /// Two local pods in each of two namespaces; each namespace has a policy.
    private static func state() -> CompilerState {
        var objects = ClusterObjects()
        for (number, name) in ["a", "b"].enumerated() {
            objects.namespaces.append(Namespace(metadata: ObjectMeta(name: name, labels: ["team": name])))
            objects.pods += [
                Fixtures.pod(name, "web", "10.0.\(number).1", app: "web"),
                Fixtures.pod(name, "db", "10.0.\(number).2", app: "db"),
            ]
        }
        objects.networkPolicies = [
            policy("policy", in: "a", from: [.pods(namespaces: nil, pods: Fixtures.label("app", "web"))]),
            policy("policy", in: "b", from: [.pods(namespaces: Fixtures.label("team", "a"), pods: nil)]),
        ]
        return CompilerState(objects, localNode: "node-1")
    }

    private static func subjects(_ delta: NodeDelta) -> [String] { delta.programs.map(\.subject) }

    @Test("a replaced policy compiles the subjects it selects and no others")
    func replacedPolicy() {
        var state = Self.state()
        let other = Self.policy("policy", in: "a", from: [.pods(namespaces: nil, pods: Fixtures.label("app", "db"))])
        let delta = state.apply([.upsert(.networkPolicy(other))])
        #expect(Self.subjects(delta) == ["a/app=db", "a/app=web"])
        #expect(delta.programs.allSatisfy { $0.direction == .ingress })
        var expected = NodeDelta()
        expected.programs = delta.programs
        #expect(delta == expected)
    }

    @Test("an object that is as said already changes nothing")
    func sameAgain() {
        var state = Self.state()
        let objects = state.objects
        let changes =
            objects.pods.map { ObjectChange.upsert(.pod($0)) }
            + objects.namespaces.map { ObjectChange.upsert(.namespace($0)) }
            + objects.networkPolicies.map { ObjectChange.upsert(.networkPolicy($0)) }
            + [.delete(ClusterObject.Key(kind: "Pod", namespace: "a", name: "nobody"))]
        #expect(state.apply(changes).isEmpty)
    }

    @Test("a prefix that no policy named before gives the addresses in it new identities, and no others")
    func newPrefix() throws {
        var state = Self.state()
        let cidr = try #require(IPPrefix(parsing: "10.0.1.0/24"))
        let policy = Self.policy("blocks", in: "a", from: [.ipBlock(cidr: cidr, except: [])])
        let delta = state.apply([.upsert(.networkPolicy(policy))])
        #expect(delta.addresses.map { "\($0.address)" } == ["10.0.1.1", "10.0.1.2"])
        #expect(
            delta.newIdentities.map(\.label) == [
                "b/app=db in=10.0.1.0/24", "b/app=web in=10.0.1.0/24", "world-ipv4 in=10.0.1.0/24",
            ])
        #expect(delta.retiredIdentities.count == 2)
        #expect(delta.prefixes.map(\.prefix) == [cidr])
        #expect(Set(Self.subjects(delta)).isSubset(of: ["a/app=db", "a/app=web"]))
        let back = state.apply([.delete(ClusterObject.networkPolicy(policy).key)])
        #expect(back.addresses.map(\.address) == delta.addresses.map(\.address))
        #expect(differences(state.image, Self.state().image) == [])
    }

    @Test("a relabelled namespace changes entries of the policies that ask about its labels")
    func relabelledNamespace() {
        var state = Self.state()
        var objects = state.objects
        objects.namespaces.append(Namespace(metadata: ObjectMeta(name: "c", labels: ["team": "c"])))
        objects.pods.append(Fixtures.pod("c", "web", "10.0.2.1", app: "web"))
        _ = state.apply([.upsert(.namespace(objects.namespaces[2])), .upsert(.pod(objects.pods[4]))])
        objects.namespaces[2].metadata.labels["team"] = "a"
        let delta = state.apply([.upsert(.namespace(objects.namespaces[2]))])
        #expect(delta.peers.map(\.subjects) == [["b/app=db", "b/app=web"]])
        #expect(delta.peers.map(\.identity) == [state.identity(of: objects.pods[4].addresses[0])])
        #expect(delta.programs.isEmpty && delta.addresses.isEmpty && !delta.changesEndpoints)
    }

    @Test("a CIDR group that comes, changes and goes lowers the policies that refer to it again, and no others")
    func group() {
        var state = Self.state()
        var rule = CiliumRule(subject: .endpoints(Fixtures.label("app", "web")))
        rule.ingress = [CiliumElement(path: "spec.ingress[0]")]
        rule.ingress[0].cidrSet = .some([CIDRRule(source: .group("office"))])
        let policy = CiliumPolicy(
            metadata: ObjectMeta(name: "office", namespace: "a"), isClusterwide: false, rules: [rule])
        let key = ClusterObject.ciliumPolicy(policy).key
        #expect(Self.subjects(state.apply([.upsert(.ciliumPolicy(policy))])) == ["a/app=web"])
        #expect(state.diagnostics(of: key).map(\.id) == [.unresolved])
        let group = CIDRGroup(metadata: ObjectMeta(name: "office"), prefixes: RandomCluster.prefixes("192.0.2.0/24"))
        let delta = state.apply([.upsert(.cidrGroup(group))])
        #expect(Self.subjects(delta) == ["a/app=web"])
        #expect(delta.prefixes.map(\.prefix) == group.prefixes)
        #expect(state.diagnostics.isEmpty)
        _ = state.apply([.delete(ClusterObject.cidrGroup(group).key)])
        #expect(state.diagnostics.map(\.id) == [.unresolved])
        let other = CIDRGroup(metadata: ObjectMeta(name: "other"), prefixes: group.prefixes)
        #expect(state.apply([.upsert(.cidrGroup(other))]).isEmpty)
    }

    @Test("in the place of a refused policy stands what is given, until there is one again")
    func standIns() {
        var state = Self.state()
        let before = state.image
        let policy = Self.policy("policy", in: "a", from: [])
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "a", name: "policy", path: "", isRefused: true)
        let closed = LoweredPolicy(
            subject: .pods(.named("a"), LabelSelector()), ingress: DirectionRules(isolates: true, rules: []),
            egress: nil,
            origin: origin)
        _ = state.apply([.standIns([closed], for: ClusterObject.networkPolicy(policy).key)])
        #expect(state.subject("a/app=web")?.ingress.isolatedBy == [origin])
        #expect(state.subject("a/app=web")?.ingress.bits.isEmpty == true)
        let written = Self.policy("policy", in: "a", from: [.pods(namespaces: nil, pods: Fixtures.label("app", "web"))])
        _ = state.apply([.upsert(.networkPolicy(written))])
        #expect(differences(state.image, before) == [])
    }

    @Test("addresses that the local node has besides those of its object are the host's")
    func ownAddresses() {
        var state = Self.state()
        let addresses = RandomCluster.addresses("192.168.7.1", "fe80::1")
        let delta = state.apply([.ownAddresses(addresses)])
        #expect(delta.addresses.map(\.identity) == [1, 1])
        #expect(state.objects.nodes.map(\.addresses) == [addresses])
        _ = state.apply([.upsert(.node(Node(metadata: ObjectMeta(name: "node-1"), addresses: [addresses[0]])))])
        #expect(state.objects.nodes.map(\.addresses) == [addresses])
        #expect(state.apply([.ownAddresses([])]).addresses == [.init(address: addresses[1], identity: nil)])
    }

    @Test("where the local node answers beside others, its identity is marked")
    func sharedAddresses() {
        var state = Self.state()
        let before = state.image
        let mark = UInt32(1) << 31
        let networks = RandomCluster.prefixes(
            "192.168.7.0/24", "10.0.0.0/31", "10.0.0.9/32", "fd00:7::/64", "fd00:8::2/127", "fd00:8::5/128")
        let delta = state.apply([.ownNetworks(networks)])
        #expect(delta.addresses.map { "\($0.address)" } == ["192.168.7.255", "fd00:7::"])
        #expect(delta.addresses.map(\.identity) == [1 | mark, 1 | mark])
        // Whose address it is counts more.
        let pod = RandomCluster.addresses("192.168.7.255")
        _ = state.apply([.upsert(.node(Node(metadata: ObjectMeta(name: "node-1"), addresses: pod)))])
        #expect(state.identity(of: pod[0]) == 1)
        _ = state.apply([.delete(ClusterObject.node(Node(metadata: ObjectMeta(name: "node-1"), addresses: [])).key)])
        #expect(state.identity(of: pod[0]) == 1 | mark)
        _ = state.apply([.ownNetworks([])])
        #expect(differences(state.image, before) == [])
    }

    @Test("a policy with too many rules denies everything until it has fewer")
    func tooManyRules() {
        var state = Self.state()
        let before = state.image
        var policy = Self.policy("policy", in: "a", from: [.pods(namespaces: nil, pods: Fixtures.label("app", "web"))])
        let rule = policy.ingress[0]
        policy.ingress = (0..<5000).map { number in
            NetworkPolicyRule(
                peers: rule.peers, ports: [NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(UInt16(number))))],
                path: "spec.ingress[\(number)]")
        }
        _ = state.apply([.upsert(.networkPolicy(policy))])
        #expect(state.diagnostics.map(\.id) == [.tooMany, .tooMany])
        // Who comes and goes meanwhile makes no difference.
        let pod = Fixtures.pod("a", "more", "10.0.0.9", app: "web")
        _ = state.apply([.upsert(.pod(pod))])
        let scratch = CompilerState(state.objects, localNode: "node-1", allocator: state.allocator)
        #expect(differences(state.image, scratch.image) == [])
        policy.ingress = [rule]
        _ = state.apply([.upsert(.networkPolicy(policy)), .delete(ClusterObject.pod(pod).key)])
        #expect(differences(state.image, before) == [])
        #expect(state.diagnostics.isEmpty)
    }
}
