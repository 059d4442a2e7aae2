public import PolicyAPI

extension RandomPolicies {
    /// A ClusterNetworkPolicy, AdminNetworkPolicy or BaselineAdminNetworkPolicy: few priorities, so that some are shared.
    public mutating func clusterPolicy(_ number: Int) -> ClusterPolicy {
        let kind = random.pick(ClusterPolicy.Kind.allCases + [.clusterNetworkPolicy])
        let tier: Tier =
            switch kind {
            case .clusterNetworkPolicy: random.pick([.admin, .baseline])
            case .adminNetworkPolicy: .admin
            case .baselineAdminNetworkPolicy: .baseline
            }
        let isBaselineKind = kind == .baselineAdminNetworkPolicy
        return ClusterPolicy(
            metadata: ObjectMeta(name: "cluster\(number)"), kind: kind, tier: tier,
            priority: isBaselineKind ? ClusterPolicy.baselinePriority : UInt32(random.below(3)),
            subject: selection(), ingress: clusterRules("ingress", isEgress: false, kind),
            egress: clusterRules("egress", isEgress: true, kind))
    }

    private mutating func clusterRules(
        _ member: String, isEgress: Bool, _ kind: ClusterPolicy.Kind
    ) -> [ClusterPolicyRule] {
        (0..<random.below(6)).map { number in
            let actions: [RuleAction] =
                kind == .baselineAdminNetworkPolicy ? [.allow, .deny] : [.allow, .deny, .pass]
            return ClusterPolicyRule(
                action: random.pick(actions),
                peers: (0...random.below(3)).map { _ in clusterPeer(isEgress: isEgress) },
                ports: random.once(in: 2) ? nil : (0...random.below(2)).map { _ in clusterPort() },
                path: "spec.\(member)[\(number)]")
        }
    }

    private mutating func selection() -> PodSelection {
        PodSelection(
            namespaces: random.once(in: 2) ? LabelSelector() : namespaceSelector(),
            pods: random.once(in: 2) ? LabelSelector() : selector())
    }

    private mutating func clusterPeer(isEgress: Bool) -> ClusterPolicyPeer {
        switch random.below(isEgress ? 6 : 2) {
        case 0, 1: .pods(selection())
        case 2: .nodes(random.once(in: 2) ? LabelSelector() : nodeSelector())
        case 3: .names([random.pick([.name("api.example.com"), .pattern("**.example.com")])])
        default: .networks((0...random.below(2)).map { _ in random.pick(RandomPolicies.prefixes) })
        }
    }

    private mutating func clusterPort() -> ClusterPolicyPort {
        if random.once(in: 4) { return .named(random.pick(["http", "dns"])) }
        return .range(random.pick([.tcp, .tcp, .udp, .sctp]), range())
    }
}
