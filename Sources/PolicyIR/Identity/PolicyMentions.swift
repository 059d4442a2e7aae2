import NetTypes
import PolicyAPI

/// What one policy mentions of remote ends that are no pods: prefixes (exceptions included), node labels.
/// Repetitions are kept, so that what is counted up by it is counted down by it.
struct PolicyMentions {
    /// Of NetworkPolicy's ipBlocks: they tell pods' and nodes' addresses apart as well.
    var everywhere: [IPPrefix] = []
    /// Of Cilium's CIDRs: only for addresses outside the cluster.
    var outside: [IPPrefix] = []
    /// Keys of node labels: only they tell nodes apart.
    var nodeKeys: [String] = []

    init(_ policy: LoweredPolicy) {
        for direction in Direction.allCases {
            guard let all = policy[direction]?.rules else { continue }
            // Through spans: what mentions nothing is not copied.
            let rules = all.span
            for rule in rules.indices {
                guard case .anyOf(let list) = rules[rule].peers else { continue }
                let peers = list.span
                for peer in peers.indices {
                    switch peers[peer] {
                    case .addresses(let prefix, let except, .everywhere): everywhere += [prefix] + except
                    case .addresses(let prefix, let except, .outsideCluster): outside += [prefix] + except
                    case .nodes(let selector): nodeKeys += selector.requirements.map(\.key)
                    case .pods, .endpoints, .entity, .names: break
                    }
                }
            }
        }
    }
}
