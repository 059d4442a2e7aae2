import BPFEmit
import NetpoldTestSupport
import PolicyIR

/// A flow that the evaluator and a compiled image decide differently.
struct Difference: CustomStringConvertible {
    var description: String

    /// The first difference among random flows of a cluster, `nil` if there is none.
    static func first(in cluster: RandomCluster, seed: UInt64, flows: Int) -> Difference? {
        let policies = cluster.policies
        let evaluator = ReferenceEvaluator(cluster.objects, policies: policies, localNode: cluster.localNode)
        var allocator = IdentityAllocator()
        let image = NodeCompiler.compile(
            cluster.objects, policies: policies, localNode: cluster.localNode, allocator: &allocator)
        let simulator: NodeSimulator
        do { simulator = try NodeSimulator(image) } catch { return Difference(description: "bad program: \(error)") }
        let subjects = Dictionary(uniqueKeysWithValues: image.subjects.map { ($0.key, $0) })
        var oracle = EvaluatorOracle(evaluator)

        var random = SplitMix64(seed: seed ^ 0xf10e)
        for _ in 0..<flows {
            guard let (source, destination) = cluster.flowEnds(&random) else { return nil }
            let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
            let flow = "\(source) -> \(destination) \(proto) \(port)"
            let answers: NodeSimulator.Answers
            do {
                answers = try simulator.decide(from: source, to: destination, protocol: proto, port: port)
            } catch {
                return Difference(description: "\(flow): \(error)")
            }
            for direction in Direction.allCases {
                let (own, remote) = direction == .egress ? (source, destination) : (destination, source)
                let answer = direction == .egress ? answers.egress : answers.ingress
                let decision = oracle.decide(own, direction, remote, proto, port, localNode: cluster.localNode)
                let rules = simulator.endpoint(at: own).flatMap { subjects[$0.subject]?[direction].bits } ?? []
                let (left, right) = (text(decision), text(answer, rules))
                if left != right {
                    return Difference(
                        description:
                            "\(flow) \(direction): evaluator says \(left), image says \(right) (remote identity "
                            + "\(simulator.identity(of: remote)))")
                }
            }
        }
        return nil
    }

    /// The cluster with every policy, rule and pod taken away that the difference does not need.
    static func shrunk(_ cluster: RandomCluster, seed: UInt64, flows: Int) -> RandomCluster {
        var small = cluster
        func keep(_ change: (inout RandomCluster) -> Void) {
            var next = small
            change(&next)
            if first(in: next, seed: seed, flows: flows * 4) != nil { small = next }
        }
        for index in cluster.objects.networkPolicies.indices.reversed() {
            keep { $0.objects.networkPolicies.remove(at: index) }
        }
        for index in cluster.objects.ciliumPolicies.indices.reversed() {
            keep { $0.objects.ciliumPolicies.remove(at: index) }
        }
        for index in cluster.extra.indices.reversed() { keep { $0.extra.remove(at: index) } }
        for index in cluster.objects.pods.indices.reversed() { keep { $0.objects.pods.remove(at: index) } }
        return small
    }

    static func describe(_ cluster: RandomCluster, _ seed: UInt64, _ flows: Int) -> String {
        let pods = cluster.objects.pods.map {
            "pod \($0.qualifiedName) \($0.metadata.labels) \($0.addresses) \($0.nodeName) ports \($0.ports.map { "\($0.name):\($0.port)" })"
        }
        let rules = cluster.policies.map { policy in
            "\(policy.origin) on \(policy.subject)\n"
                + Direction.allCases.compactMap { direction in
                    policy[direction].map { rules in
                        "  \(direction) isolates \(rules.isolates)\n"
                            + rules.rules.map { "    \($0.tier) \($0.priority) \($0.action) \($0.peers) \($0.traffic)" }
                            .joined(separator: "\n")
                    }
                }.joined(separator: "\n")
        }
        let found = first(in: cluster, seed: seed, flows: flows * 4).map(\.description) ?? "gone"
        return (pods + rules + [found]).joined(separator: "\n")
    }

    private static func text(_ decision: SideDecision?) -> String {
        guard let decision else { return "-" }
        switch decision.reason {
        case .rule(let number, _): return "\(verdict(decision)) by rule \(number)"
        case .l7Rules(let numbers, _): return "\(verdict(decision)) by rule \(numbers[0])"
        case .localNode: return "\(verdict(decision)) by host"
        case .itself, .noPolicyHere: return "-"
        case .notIsolated: return "\(verdict(decision)) by defaultAllow"
        case .defaultDeny: return "\(verdict(decision)) by defaultDeny"
        }
    }

    private static func verdict(_ decision: SideDecision) -> String {
        switch decision.verdict {
        case .allow: "allow"
        case .deny: "deny"
        case .l7: "l7"
        }
    }

    private static func text(_ answer: PolicyAnswer?, _ bits: [RuleBit]) -> String {
        guard let answer else { return "-" }
        if let bit = answer.bit { return "\(answer.verdict) by rule \(bits[bit].rule)" }
        return "\(answer.verdict) by \(answer.decision)"
    }
}
