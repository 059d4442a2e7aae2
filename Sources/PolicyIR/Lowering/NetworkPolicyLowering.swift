import NetTypes
public import PolicyAPI

extension PolicyLowering {
    /// A NetworkPolicy with upstream's meaning (docs/spec/network-policy.md 1): one rule for each element.
    public static func lower(_ policy: NetworkPolicy) -> LoweredPolicy {
        let origin = origin(of: policy)

        func rules(_ elements: [NetworkPolicyRule]) -> [PolicyRule] {
            elements.map { element in
                var place = origin
                place.path = element.path
                place.location = element.location ?? origin.location
                return PolicyRule(
                    action: .allow, peers: peers(element.peers, in: policy.metadata.namespace),
                    traffic: traffic(element.ports), origin: place)
            }
        }

        // "policyTypes decides": elements of a direction that it does not list have no effect.
        func direction(_ direction: Direction, _ elements: [NetworkPolicyRule]) -> DirectionRules? {
            policy.policyTypes.contains(direction) ? DirectionRules(isolates: true, rules: rules(elements)) : nil
        }

        return LoweredPolicy(
            subject: .pods(.named(policy.metadata.namespace), policy.podSelector),
            ingress: direction(.ingress, policy.ingress), egress: direction(.egress, policy.egress), origin: origin)
    }

    /// The origin of what a NetworkPolicy is lowered to.
    public static func origin(of policy: NetworkPolicy) -> RuleOrigin {
        RuleOrigin(
            kind: "NetworkPolicy", namespace: policy.metadata.namespace, name: policy.metadata.name, path: "",
            location: policy.metadata.location)
    }

    private static func peers(_ peers: [NetworkPolicyPeer], in namespace: String) -> PeerMatch {
        // "from/to missing or []: all peers: pods, nodes, external, both families".
        if peers.isEmpty { return .everyone }
        return .anyOf(
            peers.map { peer in
                switch peer {
                // "podSelector only: pods in the policy's namespace".
                case .pods(nil, let pods): .pods(.named(namespace), pods ?? LabelSelector())
                case .pods(let namespaces?, let pods): .pods(.matching(namespaces), pods ?? LabelSelector())
                case .ipBlock(let cidr, let except): .addresses(cidr, except: except, .everywhere)
                }
            })
    }

    private static func traffic(_ ports: [NetworkPolicyPort]) -> TrafficMatch {
        // "ports missing or []: all ports, all protocols".
        if ports.isEmpty { return .everything }
        return .anyOf(
            ports.map { port in
                switch port.port {
                // "ports: [{}]: all TCP ports only".
                case .all: .ports(port.protocol, .all)
                case .range(let range): .ports(port.protocol, range)
                case .named(let name): .named(port.protocol, name)
                }
            })
    }
}
