import NetTypes
import NetpoldTestSupport

/// A flow that the evaluator and a compiled image decide differently.
struct Difference: CustomStringConvertible {
    var description: String

    /// The first difference among random flows of a cluster, `nil` if there is none.
    static func first(in cluster: RandomCluster, seed: UInt64, flows: Int) -> Difference? {
        var random = SplitMix64(seed: seed ^ 0xf10e)
        do {
            var both = try SideBySide(cluster.objects, policies: cluster.policies, localNode: cluster.localNode)
            for _ in 0..<flows {
                guard let (source, destination) = cluster.flowEnds(&random) else { return nil }
                let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
                for node in cluster.nodeAddresses where node.isIPv4 == destination.isIPv4 {
                    let text = try both.askMasqueraded(as: node, to: destination, protocol: proto, port: port)
                    if let text { return Difference(description: text) }
                }
                for answer in try both.ask(from: source, to: destination, protocol: proto, port: port) {
                    if let text = answer.difference { return Difference(description: text) }
                }
            }
        } catch {
            return Difference(description: "bad program: \(error)")
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
        for index in cluster.objects.clusterPolicies.indices.reversed() {
            keep { $0.objects.clusterPolicies.remove(at: index) }
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
                            + rules.rules.map {
                                "    \($0.tier) \($0.priority).\($0.order) \($0.action) \($0.peers) \($0.traffic)"
                            }
                            .joined(separator: "\n")
                    }
                }.joined(separator: "\n")
        }
        let found = first(in: cluster, seed: seed, flows: flows * 4).map(\.description) ?? "gone"
        return (pods + rules + [found]).joined(separator: "\n")
    }
}
