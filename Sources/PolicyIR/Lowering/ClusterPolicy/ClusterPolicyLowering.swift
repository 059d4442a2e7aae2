import NetTypes
public import PolicyAPI

extension PolicyLowering {
    /// A cluster-scoped policy as rules of its tier, numbered by their place in the list (docs/spec/network-policy.md 2.1). It does not
    /// isolate: "a policy that matches nothing changes nothing".
    public static func lower(_ policy: ClusterPolicy) -> LoweredPolicy {
        func direction(_ elements: [ClusterPolicyRule]) -> DirectionRules? {
            // "Objects with no ingress rules do not affect ingress."
            guard !elements.isEmpty else { return nil }
            return DirectionRules(
                isolates: false,
                rules: elements.enumerated().map { place, element in
                    var origin = policy.origin
                    origin.path = element.path
                    origin.ruleName = element.name
                    origin.location = element.location ?? origin.location
                    return PolicyRule(
                        tier: policy.tier, priority: policy.priority, order: UInt32(truncatingIfNeeded: place),
                        action: element.action, peers: .anyOf(element.peers.flatMap(peers)),
                        traffic: traffic(element.ports), origin: origin)
                })
        }
        return LoweredPolicy(
            subject: .pods(.matching(policy.subject.namespaces), policy.subject.pods),
            ingress: direction(policy.ingress), egress: direction(policy.egress), origin: policy.origin)
    }

    private static func peers(_ peer: ClusterPolicyPeer) -> [Peer] {
        switch peer {
        case .pods(let selection): [.pods(.matching(selection.namespaces), selection.pods)]
        // "Selects the nodeIPs": those of the own node too.
        case .nodes(let selector): [.nodes(selector)]
        // "Cluster-internal traffic will be checked against the rule as well."
        case .networks(let prefixes): prefixes.map { .addresses($0, except: [], .everywhere) }
        case .names(let names): names.map { .names($0) }
        }
    }

    private static func traffic(_ ports: [ClusterPolicyPort]?) -> TrafficMatch {
        // "If unspecified, protocol-specific attributes will not be used to match traffic."
        guard let ports else { return .everything }
        return .anyOf(
            ports.flatMap { port -> [TrafficClause] in
                switch port {
                case .range(let wanted, let range): [.ports(wanted, range)]
                // "Names resolved on destination pod (any protocol)."
                case .named(let name): [L4Protocol.tcp, .udp, .sctp].map { .named($0, name) }
                }
            })
    }
}
