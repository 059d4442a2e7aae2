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
        case .pods(let selection): [pods(selection)]
        // "Selects the nodeIPs": those of the own node too.
        case .nodes(let selector): [.nodes(ofObjects(selector))]
        // "Cluster-internal traffic will be checked against the rule as well."
        case .networks(let prefixes): prefixes.map { .addresses($0, except: [], .everywhere) }
        case .names(let names): names.map { .names($0) }
        }
    }

    /// "A label selector over Node": over the labels of their objects, which may have the names of Cilium's reserved ones.
    private static func ofObjects(_ selector: LabelSelector) -> LabelSelector {
        LabelSelector(
            selector.requirements.map { condition in
                LabelRequirement(
                    source: condition.source == "any" ? "node" : condition.source, key: condition.key,
                    operator: condition.operator, values: condition.values, location: condition.location)
            }, location: selector.location)
    }

    /// Pods, or ends that are no pods where a condition asks for one of their `reserved:` labels.
    ///
    /// "A pod carries no reserved label": conditions that are content without one say nothing of pods, and pods are what the peer
    /// selects then. With one that asks for the label, no pod is selected, and the other conditions, namespaces too, are
    /// asked of an end that has no other labels.
    private static func pods(_ selection: PodSelection) -> Peer {
        let reserved = selection.pods.requirements.filter { $0.source == "reserved" }
        let others = selection.pods.requirements.filter { $0.source != "reserved" }
        if reserved.allSatisfy({ $0.accepts(nil) }) {
            return .pods(
                .matching(selection.namespaces), LabelSelector(others, location: selection.pods.location))
        }
        func asked(_ condition: LabelRequirement, prefix: String = "") -> LabelRequirement {
            LabelRequirement(
                source: "k8s", key: prefix + condition.key, operator: condition.operator, values: condition.values,
                location: condition.location)
        }
        let namespaces = selection.namespaces.requirements.map {
            asked($0, prefix: CiliumKey.namespaceLabelPrefix)
        }
        return .endpoints(
            LabelSelector(reserved + others.map { asked($0) } + namespaces, location: selection.pods.location))
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
