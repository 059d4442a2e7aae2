import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// The differential test is worth what its rules decide.
@Suite("Reach of random policies")
struct RandomPolicyReachTests {
    @Test("every kind of rule decides flows, and neither verdict is rare")
    func reach() {
        var reach = RuleReach()
        for seed in 0..<UInt64(300) {
            let cluster = RandomCluster(seed: seed)
            var oracle = EvaluatorOracle(
                ReferenceEvaluator(cluster.objects, policies: cluster.policies, localNode: cluster.localNode))
            var random = SplitMix64(seed: seed)
            for _ in 0..<120 {
                guard let (source, destination) = cluster.flowEnds(&random) else { break }
                let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
                for direction in Direction.allCases {
                    let (own, remote) = direction == .egress ? (source, destination) : (destination, source)
                    guard let answer = oracle.ask(own, direction, remote, proto, port, localNode: cluster.localNode)
                    else { continue }
                    reach.count(answer.decision, answer.policy, remote: answer.remote, protocol: proto, port: port)
                }
            }
        }
        let peers = [
            "everyone", "pods", "pods of namespaces", "endpoints", "nodes", "entity", "CIDR", "CIDR with except",
            "ipBlock", "ipBlock with except", "CIDR group",
        ]
        let traffic = ["no port", "every port", "one port", "port range", "a rule with a named port", "ICMP type"]
        var kinds = ["allow", "deny"].flatMap { verb in
            (peers + traffic).map { "\(verb) by \($0)" } + Tier.allCases.map { "\(verb) in tier \($0)" }
        }
        kinds += ["allow by names", "L7 in tier normal", "default deny", "rules that isolate nothing", "no policy"]
        kinds.append("passed on to a later tier")
        let rare = kinds.filter { reach.counts[$0, default: 0] < 20 }
        let table = kinds.map { "\(reach.counts[$0, default: 0]) \($0)" }.joined(separator: "\n")
        #expect(rare == [], "of \(reach.total) decisions:\n\(table)")
        let denied = Double(reach.counts["denied", default: 0]) / Double(reach.total)
        #expect((0.25...0.75).contains(denied), "\(denied) of the flows are denied")
    }
}
