import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Which packets need flow state, as the compiler has it from programs and as the evaluator's answers imply.
@Suite("Need for flow state")
struct StateNeedTests {
    /// What a comparison has found.
    private struct Tally {
        var pods = 0
        /// Directions by need.
        var needs: [StateNeed: Int] = [:]
        /// Less state than some answer needs: a connection that would be cut.
        var tooSmall: [String] = []
        /// More state than any answer needs: slow, but right.
        var tooLarge: [String] = []

        mutating func compare(
            _ objects: ClusterObjects, _ policies: [LoweredPolicy], localNode: String, addresses: [IPAddress],
            _ name: String
        ) throws {
            var allocator = IdentityAllocator()
            let image = NodeCompiler.compile(
                objects, policies: policies, localNode: localNode, allocator: &allocator)
            let needs = Dictionary(
                image.subjects.map { ($0.key, $0.stateNeeds) }, uniquingKeysWith: { first, _ in first })
            let oracle = StateNeedOracle(
                objects, policies: policies, localNode: localNode, addresses: addresses)
            for endpoint in image.endpoints {
                let pod = try #require(
                    objects.pods.first { $0.qualifiedName == "\(endpoint.namespace)/\(endpoint.name)" })
                let compiled = try #require(needs[endpoint.subject])
                let expected = oracle.needs(of: pod)
                pods += 1
                for direction in Direction.allCases {
                    self.needs[expected[direction], default: 0] += 1
                    let text =
                        "\(name) \(pod.qualifiedName) \(direction): compiled \(compiled[direction]), "
                        + "the evaluator's answers need \(expected[direction])"
                    if compiled[direction] < expected[direction] { tooSmall.append(text) }
                    if compiled[direction] > expected[direction] { tooLarge.append(text) }
                }
            }
        }
    }

    @Test("random policies: the compiled need is the one that the evaluator's answers imply")
    func random() throws {
        var tally = Tally()
        for seed in 0..<UInt64(80) {
            let cluster = RandomCluster(seed: seed)
            try tally.compare(
                cluster.objects, cluster.policies, localNode: cluster.localNode, addresses: RandomCluster.outside,
                "seed \(seed)")
        }
        #expect(tally.tooSmall == [])
        #expect(tally.tooLarge.count * 50 < tally.pods, "\(tally.tooLarge)")
        for need in StateNeed.allCases { #expect(tally.needs[need, default: 0] > 50, "\(need) is rare") }
    }

    @Test("conformance folders: the compiled need is the one that the evaluator's answers imply")
    func conformance() throws {
        var tally = Tally()
        let folders = SharedCorpus.files(under: "Conformance").filter { $0.hasSuffix("/cluster.yaml") }
        for file in folders {
            var decoder = ManifestDecoder()
            for name in [file, file.replacingOccurrences(of: "cluster.yaml", with: "policies.yaml")] {
                decoder.add(try SharedCorpus.bytes(name), file: name)
            }
            let objects = decoder.finish().objects
            try tally.compare(
                objects, PolicyLowering.lower(objects).policies, localNode: ClusterView.defaultNode(of: objects),
                addresses: RandomCluster.outside, file)
        }
        #expect(folders.count == 314)
        #expect(tally.tooSmall == [])
        #expect(tally.tooLarge.count * 50 < tally.pods, "\(tally.tooLarge)")
        for need in StateNeed.allCases { #expect(tally.needs[need, default: 0] > 20, "\(need) is rare") }
    }

    @Test(
        "a pod that no policy selects needs none; with policies of one direction, only what the other one starts does")
    func table() {
        let rows: [(ingress: PolicyStrictness, egress: PolicyStrictness, needs: (StateNeed, StateNeed))] = [
            (.open, .open, (.never, .never)),
            (.isolating, .open, (.never, .mirror)), (.open, .isolating, (.mirror, .never)),
            (.denying, .open, (.never, .mirror)), (.open, .denying, (.mirror, .never)),
            (.isolating, .isolating, (.always, .always)), (.denying, .denying, (.mirror, .mirror)),
            (.isolating, .denying, (.always, .mirror)), (.denying, .isolating, (.mirror, .always)),
        ]
        for row in rows {
            #expect(
                StateNeeds(ingress: row.ingress, egress: row.egress)
                    == StateNeeds(ingress: row.needs.0, egress: row.needs.1), "\(row)")
        }
        let small = StateNeeds(ingress: .never, egress: .always)
        #expect(
            small.raised(to: StateNeeds(ingress: .mirror, egress: .never))
                == StateNeeds(ingress: .mirror, egress: .always))
    }

    @Test("isolated and allowing everything is as good as not isolated; a deny rule is not", arguments: [true, false])
    func strictness(isIsolated: Bool) throws {
        func strictness(
            _ bits: [PolicyBits.Bit], peers: [(UInt32, [UInt64])] = []
        ) throws -> PolicyStrictness {
            try PolicyEmitter.emit(PolicyExamples.policy(bits, isolated: isIsolated, peers: peers)).strictness
        }
        #expect(try strictness([]) == (isIsolated ? .isolating : .open))
        #expect(try strictness([PolicyExamples.bit(0, anyPeer: true)]) == .open)
        #expect(
            try strictness([PolicyExamples.bit(0, anyPeer: true, traffic: [.init(.tcp, .init(80))])])
                == (isIsolated ? .isolating : .open))
        let deny = PolicyExamples.bit(0, .deny, traffic: [.init(.tcp, .init(80))])
        #expect(try strictness([deny, PolicyExamples.bit(1, anyPeer: true)], peers: [(7, [1])]) == .denying)
        // Nobody is denied, so the program does not ask.
        #expect(try strictness([deny, PolicyExamples.bit(1, anyPeer: true)]) == .open)
    }
}
