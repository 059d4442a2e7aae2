import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

/// Policies written otherwise mean the same: this needs no oracle, and the evaluator itself is under test.
@Suite("Rewritten policies")
struct RewriteDifferentialTests {
    /// Flows of a run, of all rewritings together.
    private static let flows = DifferentialSize.flows(otherwise: 40_000)
    private static let seed = DifferentialSize.seed
    private static let perCluster = DifferentialSize.flowsPerCluster

    @Test("no verdict changes, by the evaluator and by the image", arguments: Rewrite.all.map(\.name))
    func verdicts(name: String) throws {
        let rewrite = try #require(Rewrite.all.first { $0.name == name })
        var changed = 0
        let clusters = UInt64(max(1, Self.flows / Rewrite.all.count / Self.perCluster))
        for number in 0..<clusters {
            let seed = Self.seed &+ number
            let cluster = rewrite.before(RandomCluster(seed: seed))
            let rewritten = rewrite.after(cluster, seed: seed)
            if cluster.policies != rewritten.policies { changed += 1 }
            // Images are compiled for one cluster in five: the differential test compares images with the evaluator.
            if let difference = try Self.difference(cluster, rewritten, seed: seed, compiles: number % 5 == 0) {
                Issue.record("seed \(seed), \(name): \(difference)")
                return
            }
        }
        #expect(changed > clusters / 3, "the rewriting finds nothing to do")
    }

    /// The first flow that both clusters decide differently.
    private static func difference(
        _ before: RandomCluster, _ after: RandomCluster, seed: UInt64, compiles: Bool
    ) throws -> String? {
        var old = EvaluatorOracle(
            ReferenceEvaluator(before.objects, policies: before.policies, localNode: before.localNode))
        var new = EvaluatorOracle(
            ReferenceEvaluator(after.objects, policies: after.policies, localNode: after.localNode))
        var image =
            try compiles
            ? SideBySide(after.objects, policies: after.policies, localNode: after.localNode) : nil
        var random = SplitMix64(seed: seed ^ 0x3e7a)
        for _ in 0..<perCluster {
            guard let (source, destination) = before.flowEnds(&random) else { return nil }
            let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
            for direction in Direction.allCases {
                let (own, remote) = direction == .egress ? (source, destination) : (destination, source)
                let left = old.decide(own, direction, remote, proto, port, localNode: before.localNode)
                let right = new.decide(own, direction, remote, proto, port, localNode: after.localNode)
                if meaning(left) != meaning(right) {
                    return "\(source) -> \(destination) \(proto) \(port) \(direction): was "
                        + "\(left.map { "\($0)" } ?? "-"), is \(right.map { "\($0)" } ?? "-")"
                }
            }
            for answer in try image?.ask(from: source, to: destination, protocol: proto, port: port) ?? [] {
                if let text = answer.difference { return text }
            }
        }
        return nil
    }

    /// A verdict; of L7 rules, what they permit together, wherever it is written.
    private static func meaning(_ decision: SideDecision?) -> Set<String>? {
        switch decision?.verdict {
        case .allow: []
        case .deny: nil
        case .l7(let matches): Set(matches.flatMap(\.permitted))
        case nil: ["nobody is asked"]
        }
    }
}
