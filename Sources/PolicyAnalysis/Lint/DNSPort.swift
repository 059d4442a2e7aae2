import NetTypes
import PolicyAPI
import PolicyIR

/// The ports of DNS servers in policies.
enum DNSPort {
    /// "Port is the backend port of the DNS pods, e.g. 5353 on some distributions" (docs/spec/cilium-network-policy.md 11).
    private static let numbers: [UInt16] = [53, 5353]
    /// Ranges with fewer ports than this are assumed to be meant for DNS.
    private static let narrow = 100

    /// Whether a rule allows DNS queries over a protocol: it lists the port, or it allows everything to peers that may include
    /// a DNS server.
    static func isAllowed(_ protocol: L4Protocol, by rule: PolicyRule) -> Bool {
        guard rule.action == .allow, rule.peers != .anyOf([]), allows(`protocol`, rule.traffic) else { return false }
        if case .anyOf(let clauses) = rule.traffic,
            clauses.contains(where: { isNarrow($0) && allows(`protocol`, .anyOf([$0])) })
        {
            return true
        }
        guard case .anyOf(let peers) = rule.peers else { return true }
        return peers.contains(where: mayHoldServer)
    }

    private static func allows(_ protocol: L4Protocol, _ traffic: TrafficMatch) -> Bool {
        numbers.contains { number in
            traffic.matches(protocol: `protocol`, port: number) { name, _ in
                // The usual names of a DNS pod's ports: dns, dns-tcp, domain.
                name.hasPrefix("dns") || name.hasPrefix("domain") ? numbers : []
            }
        }
    }

    private static func isNarrow(_ clause: TrafficClause) -> Bool {
        switch clause {
        case .named: true
        case .ports(_, let range): Int(range.last) - Int(range.first) < narrow
        }
    }

    /// Whether a peer to which everything is allowed may include a DNS server: not if it selects certain other pods.
    private static func mayHoldServer(_ peer: Peer) -> Bool {
        switch peer {
        case .pods(let scope, let selector):
            if mentionsDNS(selector) { return true }
            guard case .matching(let namespaces) = scope else { return false }
            // All pods of other namespaces, or of kube-system.
            return selector.requirements.isEmpty
                || namespaces.requirements.contains { $0.values.contains("kube-system") }
        case .endpoints(let selector):
            guard let scope = SubjectScope(.endpoints(selector)) else { return true }
            if mentionsDNS(selector) || scope.namespaces?.contains("kube-system") == true { return true }
            return scope.namespaces == nil && scope.conditions.isEmpty
        case .nodes, .entity, .addresses, .names:
            return true
        }
    }

    private static func mentionsDNS(_ selector: LabelSelector) -> Bool {
        selector.requirements.contains { requirement in
            ([requirement.key] + requirement.values).contains { $0.lowercased().contains("dns") }
        }
    }
}
