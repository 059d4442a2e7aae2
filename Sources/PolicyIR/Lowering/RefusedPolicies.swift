import NetTypes
public import PolicyAPI

extension PolicyLowering {
    /// What to enforce for a Cilium object that cannot be enforced as written: its subjects are isolated in each direction
    /// that it covers, and nothing is allowed, even with `enableDefaultDeny: false`. Nodes are not: who refuses a policy must not
    /// cut a node off from whoever could correct it.
    static func isolate(_ policy: CiliumPolicy) -> [LoweredPolicy] {
        policy.rules.compactMap { rule in
            guard case .endpoints(let selector) = rule.subject else { return nil }
            let subject = PolicySubject.endpoints(CiliumScope(policy, rule).subject(selector))
            var denies: Set<Direction> = []
            if !rule.ingressDeny.isEmpty { denies.insert(.ingress) }
            if !rule.egressDeny.isEmpty { denies.insert(.egress) }
            return isolation(
                subject, ingress: !rule.ingress.isEmpty || !rule.ingressDeny.isEmpty,
                egress: !rule.egress.isEmpty || !rule.egressDeny.isEmpty, denies: denies,
                origin: origin(of: rule, in: policy))
        }
    }

    /// The origin of one rule of a Cilium object: its path is empty for `spec`, the rule's own for `specs[i]`.
    package static func origin(of rule: CiliumRule, in policy: CiliumPolicy) -> RuleOrigin {
        RuleOrigin(
            kind: policy.kind, namespace: policy.isClusterwide ? "" : policy.metadata.namespace,
            name: policy.metadata.name, path: rule.path == "spec" ? "" : rule.path,
            location: rule.path == "spec" ? policy.metadata.location ?? rule.location : rule.location)
    }
}

extension PolicyLowering {
    /// What to enforce for refused policies: their subjects are isolated in the directions they cover, and nothing is allowed.
    /// In a direction in which a policy denies, everything is denied. One that selects no pods isolates nothing; there is
    /// only its diagnostic.
    ///
    /// A refused policy of another tier does not isolate, since these tiers have no isolation: it denies everything at its
    /// priority where it may deny ("for Deny and Pass rules: Deny all"), and is ignored where it only accepts ("for Accept
    /// rules: matching no traffic").
    public static func lowerRefused(_ refused: [PolicyRefusal]) -> [LoweredPolicy] {
        refused.compactMap { refusal in
            guard let written = refusal.subject, refusal.tier == .normal || !refusal.denies.isEmpty else { return nil }
            if case .nodes = written { return nil }
            var subject = written
            if case .endpoints(let selector) = written {
                let namespace = refusal.origin.namespace.isEmpty ? nil : refusal.origin.namespace
                subject = .endpoints(CiliumScope(namespace: namespace).subject(selector))
            }
            return isolation(
                subject, ingress: refusal.ingress, egress: refusal.egress, denies: refusal.denies, tier: refusal.tier,
                priority: refusal.priority, addresses: refusal.addresses, origin: refusal.origin)
        }
    }

    /// A lowered policy that isolates a subject in place of a refused one.
    private static func isolation(
        _ subject: PolicySubject, ingress: Bool, egress: Bool, denies: Set<Direction>, tier: Tier = .normal,
        priority: UInt32 = 0, addresses: [IPAddress]? = nil, origin: RuleOrigin
    ) -> LoweredPolicy {
        var origin = origin
        origin.isRefused = true
        let denied = addresses.map { addresses in
            PeerMatch.anyOf(addresses.map { .addresses(IPPrefix(host: $0), except: [], .everywhere) })
        }
        func rules(_ direction: Direction) -> DirectionRules {
            let isolates = tier == .normal
            guard denies.contains(direction) else { return DirectionRules(isolates: isolates, rules: []) }
            let deny = PolicyRule(
                tier: tier, priority: priority, action: .deny,
                peers: denied ?? (direction == .ingress ? .anyOf([everyoneButOwnNode]) : .everyone),
                traffic: .everything, origin: origin)
            return DirectionRules(isolates: isolates, rules: [deny])
        }
        return LoweredPolicy(
            subject: subject, ingress: ingress ? rules(.ingress) : nil, egress: egress ? rules(.egress) : nil,
            origin: origin)
    }

    /// Isolation allows the pod's own node; a deny rule for a refused policy must not make its health probes fail either.
    private static let everyoneButOwnNode = Peer.endpoints(
        LabelSelector([LabelRequirement(source: "reserved", key: "host", operator: .doesNotExist)]))
}
