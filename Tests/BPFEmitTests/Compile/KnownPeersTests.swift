import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import BPFEmit

/// What an edited policy takes over from the one before: entries of peers, and programs of subjects with equal policies.
@Suite struct KnownPeersTests {
    /// Pods of a namespace may be reached on a port by those of the team `peers`.
    private static func policy(_ name: String, in namespace: String, peers: String, port: UInt16) -> ObjectChange {
        .upsert(.networkPolicy(object(name, in: namespace, peers: peers, port: port)))
    }

    private static func object(
        _ name: String, in namespace: String, peers: String, port: UInt16
    ) -> NetworkPolicy {
        NetworkPolicy(
            metadata: ObjectMeta(name: name, namespace: namespace), podSelector: LabelSelector(),
            policyTypes: [.ingress],
            ingress: [
                NetworkPolicyRule(
                    peers: [.pods(namespaces: Fixtures.label("team", peers), pods: nil)],
                    ports: [NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(port)))],
                    path: "spec.ingress[0]")
            ],
            egress: [])
    }

    /// A pod and two policies in each of three namespaces.
    private static func state() -> CompilerState {
        var objects = ClusterObjects()
        for (number, name) in ["a", "b", "c"].enumerated() {
            objects.namespaces.append(Namespace(metadata: ObjectMeta(name: name, labels: ["team": name])))
            objects.pods.append(Fixtures.pod(name, "web", "10.0.\(number).1", app: "web"))
            objects.networkPolicies += [
                object("first", in: name, peers: "b", port: 80), object("second", in: name, peers: "c", port: 443),
            ]
        }
        return CompilerState(objects, localNode: "node-1")
    }

    private static func peers(_ state: CompilerState, _ subject: String) -> PeerTable {
        state.subject(subject)?.ingress.peers ?? []
    }

    private static func areOneArray<Element>(_ left: [Element], _ right: [Element]) -> Bool {
        left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { $0.baseAddress == left.baseAddress } }
    }

    private static func differencesFromScratch(_ state: CompilerState) -> [String] {
        let scratch = CompilerState(state.objects, localNode: "node-1", allocator: state.allocator)
        return differences(state.image, scratch.image)
    }

    @Test("another port changes the program, and the entries of peers are the table that they were")
    func port() {
        var state = Self.state()
        let before = state.image
        let known = Self.peers(state, "a/app=web")
        let delta = state.apply([Self.policy("first", in: "a", peers: "b", port: 81)])
        #expect(delta.programs.map(\.subject) == ["a/app=web"])
        #expect(known.count >= 2 && known.isCopy(of: Self.peers(state, "a/app=web")))
        #expect(differences(before, state.image) != [])
        #expect(Self.differencesFromScratch(state) == [])
    }

    @Test("other peers are other entries")
    func otherPeers() {
        var state = Self.state()
        let known = Self.peers(state, "a/app=web")
        _ = state.apply([Self.policy("first", in: "a", peers: "c", port: 80)])
        #expect(known != Self.peers(state, "a/app=web"))
        #expect(Self.differencesFromScratch(state) == [])
    }

    @Test(
        "a remote that comes, goes or is matched otherwise together with another port is in the entries, or not any more",
        arguments: ["comes", "goes", "team b no more"])
    func together(what: String) throws {
        var state = Self.state()
        let known = Self.peers(state, "a/app=web")
        let other =
            switch what {
            case "comes": ObjectChange.upsert(.pod(Fixtures.pod("b", "db", "10.0.1.2", app: "db")))
            case "goes": ObjectChange.delete(ClusterObject.Key(kind: "Pod", namespace: "b", name: "web"))
            default:
                ObjectChange.upsert(.namespace(Namespace(metadata: ObjectMeta(name: "b", labels: ["team": "x"]))))
            }
        _ = state.apply([Self.policy("first", in: "a", peers: "b", port: 81), other])
        #expect(known != Self.peers(state, "a/app=web"))
        #expect(Self.differencesFromScratch(state) == [])
        // And what was taken over is told of remotes as before.
        _ = state.apply([Self.policy("first", in: "a", peers: "b", port: 82)])
        _ = state.apply([.upsert(.pod(Fixtures.pod("c", "new", "10.0.2.9", app: "new")))])
        #expect(Self.differencesFromScratch(state) == [])
    }

    @Test("a deny in the place of an allow has the entry of whoever has a contested address")
    func deny() {
        func bits(_ action: RuleAction) -> PolicyBits { PolicyExamples.policy([PolicyExamples.bit(0, action)]) }
        var policy = DirectionPolicy(
            key: .init(direction: .ingress, policies: [], ports: -1, names: 0),
            policy: SubjectPolicy([], isolatedBy: []), subject: -1, peers: [], host: nil, columns: [:])
        policy.bits = bits(.allow).bits
        policy.carried = [1, 0]
        policy.carriers = [.init(terms: [1])]
        let known = KnownPeers(of: policy)
        #expect(known.are(of: bits(.allow), policy.carriers))
        #expect(known.are(of: bits(.pass), policy.carriers))
        #expect(!known.are(of: bits(.deny), policy.carriers))
        #expect(!known.are(of: bits(.allow), [.init(terms: [2])]))
        #expect(
            !known.are(
                of: bits(.allow),
                [.init(terms: [1], port: NamedNumber(name: .init(name: "http", protocol: .tcp), number: 80))]))
        #expect(!known.are(of: PolicyExamples.policy([]), []))
        let everyone = PolicyExamples.policy([PolicyExamples.bit(0, anyPeer: true)])
        #expect(!known.are(of: everyone, policy.carriers))
    }

    @Test("subjects with policies of one form have one program, each with the rules and counters of its own")
    func oneProgram() throws {
        let state = Self.state()
        let images = try ["a", "b", "c"].map { try #require(state.subject("\($0)/app=web")).ingress }
        for image in images.dropFirst() {
            #expect(Self.areOneArray(images[0].program.instructions, image.program.instructions))
        }
        #expect(images.map { $0.bits.map(\.origin.namespace) } == [["a", "a"], ["b", "b"], ["c", "c"]])
        #expect(images.map { $0.isolatedBy.map(\.namespace) } == [["a", "a"], ["b", "b"], ["c", "c"]])
    }

    @Test("what a program says of two bits depends on their objects where those have an order")
    func objects() throws {
        func policy(_ second: String) -> PolicyBits {
            PolicyExamples.policy(
                [
                    PolicyExamples.bit(0, .deny, tier: .admin, priority: 1, order: 1, origin: .test("one", "0")),
                    PolicyExamples.bit(1, .allow, tier: .admin, priority: 1, order: 2, origin: .test(second, "1")),
                ], peers: [(300, [3])])
        }
        var programs = SharedPrograms()
        for bits in [policy("one"), policy("two"), PolicyExamples.tiers, PolicyExamples.webAndHost, policy("one")] {
            #expect(try programs.emit(bits) == PolicyEmitter.emit(bits))
        }
    }
}
