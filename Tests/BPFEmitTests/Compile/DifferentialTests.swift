import BPFEmit
import BPFSimulate
import Foundation
import NetpoldTestSupport
import PolicyIR
import Testing

/// The indexed compiler and the emitted programs against the naive evaluator, over random clusters and policies.
@Suite struct DifferentialTests {
    private static let flows = DifferentialSize.flows(otherwise: 20_000)
    private static let seed = DifferentialSize.seed

    @Test("compiled images decide random flows as the evaluator does, and by the same rule")
    func imagesAgreeWithEvaluator() {
        let perCluster = DifferentialSize.flowsPerCluster
        for number in 0..<UInt64(max(1, Self.flows / perCluster)) {
            let seed = Self.seed &+ number
            let cluster = RandomCluster(seed: seed)
            guard let difference = Difference.first(in: cluster, seed: seed, flows: perCluster) else { continue }
            let small = Difference.shrunk(cluster, seed: seed, flows: perCluster)
            Issue.record("seed \(seed): \(difference)\nsmallest case:\n\(Difference.describe(small, seed, perCluster))")
            return
        }
        print("image against evaluator: \(Self.flows) flows, 0 differences")
    }
}

/// The differential test is worth what its flows reach.
@Suite struct DifferentialReachTests {
    @Test("random flows reach every kind of answer, in both directions and families")
    func reach() throws {
        var reached: Set<String> = []
        var identities: Set<IdentityScope> = []
        for seed in 0..<UInt64(150) {
            let cluster = RandomCluster(seed: seed)
            var allocator = IdentityAllocator()
            let image = NodeCompiler.compile(
                cluster.objects, policies: cluster.policies, localNode: cluster.localNode, allocator: &allocator)
            let simulator = try NodeSimulator(image)
            var random = SplitMix64(seed: seed)
            for _ in 0..<40 {
                guard let (source, destination) = cluster.flowEnds(&random) else { break }
                let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
                let answers = try simulator.decide(from: source, to: destination, protocol: proto, port: port)
                let family = source.isIPv4 ? "IPv4" : "IPv6"
                for (direction, answer) in [("egress", answers.egress), ("ingress", answers.ingress)] {
                    if let answer { reached.insert("\(direction) \(family) \(answer.verdict) by \(answer.decision)") }
                }
                if let scope = IdentityScope(of: simulator.identity(of: destination)) { identities.insert(scope) }
            }
        }
        let rules = ["allow", "deny", "l7"].map { "\($0) by rule" }
        let kinds = rules + ["deny by defaultDeny", "allow by defaultAllow"]
        var expected = Set(
            ["ingress", "egress"].flatMap { side in
                ["IPv4", "IPv6"].flatMap { family in kinds.map { "\(side) \(family) \($0)" } }
            })
        expected.formUnion(["ingress IPv4 allow by host", "ingress IPv6 allow by host"])
        #expect(expected.subtracting(reached) == [])
        #expect(identities == Set(IdentityScope.allCases))
    }
}
