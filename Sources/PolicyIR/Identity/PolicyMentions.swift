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

    /// All prefixes, repetitions included: each takes room in the kernel's table.
    var prefixes: [IPPrefix] { everywhere + outside }

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
                    case .endpoints(let selector):
                        // Others than these see no labels of nodes.
                        guard selector.mentionsReserved else { continue }
                        for requirement in selector.requirements
                        where requirement.source == "node" || requirement.source == "any" {
                            nodeKeys.append(requirement.key)
                        }
                    case .pods, .entity, .names: break
                    }
                }
            }
        }
    }

    /// How many prefixes policies mention, repetitions included: without a list of them.
    static func count(_ policies: [LoweredPolicy]) -> Int {
        var count = 0
        for policy in policies {
            for direction in Direction.allCases {
                guard let all = policy[direction]?.rules else { continue }
                let rules = all.span
                for rule in rules.indices {
                    guard case .anyOf(let list) = rules[rule].peers else { continue }
                    let peers = list.span
                    for peer in peers.indices {
                        if case .addresses(_, let except, _) = peers[peer] { count += 1 + except.count }
                    }
                }
            }
        }
        return count
    }
}
