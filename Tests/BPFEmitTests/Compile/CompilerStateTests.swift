import BPFEmit
import BPFSimulate
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@Suite struct CompilerStateTests {
    @Test("the order of the input changes nothing", arguments: 0..<20)
    func order(seed: Int) {
        let cluster = RandomCluster(seed: UInt64(seed) + 9000)
        var random = SplitMix64(seed: UInt64(seed))
        var shuffled = cluster.objects
        shuffled.pods.shuffle(using: &random)
        shuffled.namespaces.shuffle(using: &random)
        shuffled.nodes.shuffle(using: &random)
        shuffled.networkPolicies.shuffle(using: &random)
        shuffled.ciliumPolicies.shuffle(using: &random)
        shuffled.clusterPolicies.shuffle(using: &random)
        let policies = PolicyLowering.lower(shuffled).policies + cluster.extra.shuffled(using: &random)
        let first = CompilerState(cluster.objects, policies: cluster.policies, localNode: cluster.localNode)
        let second = CompilerState(shuffled, policies: policies, localNode: cluster.localNode)
        #expect(differences(first.image, second.image) == [])
    }

    @Test("an address that two pods claim belongs to neither: identity 0, no endpoint address, a diagnostic")
    func contested() {
        var objects = ClusterObjects()
        for name in ["one", "two"] {
            objects.pods.append(
                Pod(
                    metadata: ObjectMeta(name: name, namespace: "a", labels: ["app": name]), nodeName: "node-1",
                    addresses: RandomCluster.addresses("10.0.0.1")))
        }
        var state = CompilerState(objects, policies: [], localNode: "node-1")
        #expect(state.image.addresses.map(\.identity) == [0])
        #expect(state.image.endpoints.allSatisfy { $0.addresses.isEmpty })
        #expect(
            state.diagnostics.first?.message.hasPrefix(
                "10.0.0.1 is claimed by pod a/one and pod a/two; it belongs to none") == true)
        let delta = state.apply([.delete(ClusterObject.Key(kind: "Pod", namespace: "a", name: "two"))])
        #expect(delta.addresses.map(\.identity) == [256])
        #expect(state.image.endpoints.map(\.addresses) == [RandomCluster.addresses("10.0.0.1")])
        #expect(state.diagnostics.isEmpty)
    }

    @Test("a contested address is a peer of every deny rule and of no allow rule")
    func contestedPeers() {
        let origin = RuleOrigin(kind: "Test", namespace: "", name: "x", path: "")
        let all = PeerMatch.anyOf([.pods(.matching(LabelSelector()), LabelSelector())])
        let policy = LoweredPolicy(
            subject: .pods(.named("a"), LabelSelector()),
            ingress: DirectionRules(
                isolates: false,
                rules: [
                    PolicyRule(action: .deny, peers: all, traffic: .everything, origin: origin),
                    PolicyRule(action: .allow, peers: all, traffic: .everything, origin: origin),
                ]), egress: nil, origin: origin)
        var objects = ClusterObjects()
        objects.pods = [
            Pod(metadata: ObjectMeta(name: "one", namespace: "a"), addresses: RandomCluster.addresses("10.0.0.1"))
        ]
        let image = CompilerState(objects, policies: [policy]).image
        let unknown = image.subjects[0].ingress.peers.first { $0.identity == 0 }
        #expect(unknown?.words == [0b01])
    }

    @Test("a policy with more rule bits than the limit denies everything and says so")
    func tooManyRules() throws {
        let origin = RuleOrigin(kind: "Test", namespace: "a", name: "big", path: "")
        let rules = (0..<5000).map { number in
            PolicyRule(
                action: .allow, peers: .everyone, traffic: .anyOf([.ports(.tcp, PortRange(UInt16(number)))]),
                origin: origin)
        }
        let policy = LoweredPolicy(
            subject: .pods(.named("a"), LabelSelector()), ingress: DirectionRules(isolates: false, rules: rules),
            egress: nil, origin: origin)
        var objects = ClusterObjects()
        objects.pods = [
            Pod(metadata: ObjectMeta(name: "one", namespace: "a"), addresses: RandomCluster.addresses("10.0.0.1"))
        ]
        let state = CompilerState(objects, policies: [policy])
        #expect(state.diagnostics.contains { $0.severity == .error && $0.message.contains("everything is denied") })
        let simulator = try NodeSimulator(state.image)
        let answer = try simulator.decide(.ingress, of: "a", "one", remote: 9, protocol: .tcp, port: 7)
        #expect(answer?.verdict == .deny)
    }

    @Test("a new pod with known labels changes one address and nothing else")
    func knownLabels() {
        let cluster = RandomCluster(seed: 3)
        var state = CompilerState(cluster.objects, policies: cluster.policies, localNode: cluster.localNode)
        var pod = Pod(
            metadata: ObjectMeta(name: "first", namespace: "alpha", labels: ["app": "new"]), nodeName: "node-2",
            addresses: RandomCluster.addresses("10.0.0.100"))
        _ = state.apply([.upsert(.pod(pod))])
        pod.metadata.name = "second"
        pod.addresses = RandomCluster.addresses("10.0.0.101")
        let delta = state.apply([.upsert(.pod(pod))])
        var expected = NodeDelta()
        expected.addresses = [.init(address: pod.addresses[0], identity: state.identity(of: pod.addresses[0]))]
        #expect(delta == expected)
        #expect(state.identity(of: pod.addresses[0]) == state.identity(ofPod: "alpha", "first"))
    }
}
