import BPFEmit
import BPFSimulate
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@Suite struct CompilerStateTests {
    @Test(
        "after any sequence of pods that come, go and change, the image equals one compiled from scratch",
        arguments: 0..<40)
    func incremental(seed: Int) {
        let cluster = RandomCluster(seed: UInt64(seed) + 7000)
        let policies = cluster.policies
        var random = SplitMix64(seed: UInt64(seed))
        var state = CompilerState(cluster.objects, policies: policies, localNode: cluster.localNode)
        var pods = Dictionary(uniqueKeysWithValues: cluster.objects.pods.map { ($0.qualifiedName, $0) })
        for step in 0..<25 {
            let before = state.image
            var pod = RandomCluster.pod(random.below(20), &random)
            if random.once(in: 20) {
                pod.addresses = RandomCluster.addresses(random.pick(["10.0.0.1", "192.168.0.2"]))
            }
            let delta: NodeDelta
            if random.once(in: 3), let name = pods.keys.sorted().randomElement(using: &random), let old = pods[name] {
                pods[name] = nil
                delta = state.remove(podNamed: old.metadata.name, in: old.metadata.namespace)
            } else {
                pods[pod.qualifiedName] = pod
                delta = state.apply(pod)
            }
            var objects = cluster.objects
            objects.pods = pods.keys.sorted().compactMap { pods[$0] }
            let scratch = CompilerState(
                objects, policies: policies, localNode: cluster.localNode, allocator: state.allocator)
            #expect(differences(state.image, scratch.image) == [], "seed \(seed) step \(step)")
            #expect(state.diagnostics == scratch.diagnostics)
            if !delta.changesEverything {
                #expect(applied(delta, to: before, after: state.image) == [], "seed \(seed) step \(step)")
            }
        }
    }

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
        let delta = state.remove(podNamed: "two", in: "a")
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
        _ = state.apply(pod)
        pod.metadata.name = "second"
        pod.addresses = RandomCluster.addresses("10.0.0.101")
        let delta = state.apply(pod)
        var expected = NodeDelta()
        expected.addresses = [.init(address: pod.addresses[0], identity: state.identity(of: pod.addresses[0]))]
        #expect(delta == expected)
        #expect(state.identity(of: pod.addresses[0]) == state.identity(ofPod: "alpha", "first"))
    }

    /// What differs between two images, by member.
    private func differences(_ left: NodeImage, _ right: NodeImage) -> [String] {
        var found: [String] = []
        if left.identities != right.identities { found.append("identities \(left.identities) \(right.identities)") }
        if left.addresses != right.addresses { found.append("addresses") }
        if left.prefixes != right.prefixes { found.append("prefixes") }
        if left.endpoints != right.endpoints { found.append("endpoints") }
        if left.subjects.map(\.key) != right.subjects.map(\.key) { found.append("subjects") }
        for (one, other) in zip(left.subjects, right.subjects) where one != other {
            found.append(
                "\(one.key): peers \(one.ingress.peers) \(other.ingress.peers) \(one.egress.peers) \(other.egress.peers)"
            )
        }
        return found
    }

    /// What an image with a delta applied lacks to be the one after it.
    private func applied(_ delta: NodeDelta, to before: NodeImage, after: NodeImage) -> [String] {
        var found: [String] = []
        var addresses = Dictionary(uniqueKeysWithValues: before.addresses.map { ($0.address, $0.identity) })
        for change in delta.addresses { addresses[change.address] = change.identity }
        if addresses != Dictionary(uniqueKeysWithValues: after.addresses.map { ($0.address, $0.identity) }) {
            found.append("addresses")
        }
        var numbers = Set(before.identities.map(\.number)).subtracting(delta.retiredIdentities)
        numbers.formUnion(delta.newIdentities.map(\.number))
        numbers.remove(0)
        if numbers != Set(after.identities.map(\.number)).subtracting([0]) { found.append("identities") }
        if !delta.changesEndpoints, before.endpoints != after.endpoints { found.append("endpoints") }
        let old = Dictionary(uniqueKeysWithValues: before.subjects.map { ($0.key, $0) })
        for subject in after.subjects {
            guard let was = old[subject.key] else {
                if !delta.changesEndpoints { found.append("subject \(subject.key)") }
                continue
            }
            for direction in Direction.allCases {
                if delta.programs.contains(.init(subject: subject.key, direction: direction)) { continue }
                var peers = Dictionary(uniqueKeysWithValues: was[direction].peers.map { ($0.identity, $0.words) })
                for change in delta.peers where change.direction == direction && change.subjects.contains(subject.key) {
                    peers[change.identity] = change.words.isEmpty ? nil : change.words
                }
                let now = Dictionary(uniqueKeysWithValues: subject[direction].peers.map { ($0.identity, $0.words) })
                if peers != now { found.append("peers \(direction) \(subject.key)") }
                if was[direction].program != subject[direction].program {
                    found.append("program \(direction) \(subject.key)")
                }
            }
        }
        return found
    }
}
