import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

/// Random policies for nodes: the compiled programs against the naive evaluator, and what they reach.
@Suite("random host policies")
struct HostDifferentialTests {
    private static let flows = DifferentialSize.flows(otherwise: 20_000)

    @Test("the node's image decides random flows as the evaluator does, and by the same rule")
    func imagesAgreeWithEvaluator() throws {
        let perCluster = DifferentialSize.flowsPerCluster
        for number in 0..<UInt64(max(1, Self.flows / perCluster)) {
            let seed = DifferentialSize.seed &+ number
            let cluster = RandomCluster(seed: seed)
            let both = try HostSideBySide(cluster)
            var random = SplitMix64(seed: seed ^ 0x605)
            for _ in 0..<perCluster {
                let isIPv4 = random.once(in: 2)
                let remote = cluster.remoteOfNode(isIPv4: isIPv4, &random)
                let (proto, port) = RandomCluster.traffic(isIPv4: isIPv4, &random)
                for direction in Direction.allCases {
                    guard let difference = try both.difference(direction, remote, proto, port) else { continue }
                    Issue.record("seed \(seed): \(difference)")
                    return
                }
            }
        }
    }

    @Test("every kind of rule of a host policy decides flows, and neither verdict is rare")
    func reach() throws {
        var reach = RuleReach()
        for seed in 0..<UInt64(300) {
            let cluster = RandomCluster(seed: seed)
            let both = try HostSideBySide(cluster)
            var random = SplitMix64(seed: seed)
            for _ in 0..<80 {
                let isIPv4 = random.once(in: 2)
                let remote = cluster.remoteOfNode(isIPv4: isIPv4, &random)
                let (proto, port) = RandomCluster.traffic(isIPv4: isIPv4, &random)
                for direction in Direction.allCases {
                    guard let (decision, policy, end) = both.decide(direction, remote, proto, port) else { continue }
                    reach.count(decision, policy, remote: end, protocol: proto, port: port)
                }
            }
        }
        let peers = ["everyone", "endpoints", "nodes", "entity", "CIDR", "CIDR with except", "CIDR group"]
        let traffic = ["no port", "every port", "one port", "port range", "ICMP type"]
        var kinds = ["allow", "deny"].flatMap { verb in (peers + traffic).map { "\(verb) by \($0)" } }
        kinds += ["default deny", "rules that isolate nothing"]
        let rare = kinds.filter { reach.counts[$0, default: 0] < 20 }
        let table = kinds.map { "\(reach.counts[$0, default: 0]) \($0)" }.joined(separator: "\n")
        #expect(rare == [], "of \(reach.total) decisions:\n\(table)")
        let denied = Double(reach.counts["denied", default: 0]) / Double(reach.total)
        #expect((0.25...0.85).contains(denied), "\(denied) of the flows are denied")
    }
}
