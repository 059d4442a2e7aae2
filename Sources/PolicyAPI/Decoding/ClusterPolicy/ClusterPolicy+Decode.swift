import NetTypes

extension ClusterPolicy {
    static let table = FieldTable(
        "", rows: [.enforced("apiVersion", "kind", "metadata", "spec"), .metadata("status")])
    static let specTables: [Kind: FieldTable] = [
        .clusterNetworkPolicy: FieldTable(
            "spec", rows: [.enforced("tier", "priority", "subject", "ingress", "egress")]),
        .adminNetworkPolicy: FieldTable(
            "spec",
            rows: [
                .enforced("priority", "subject", "ingress", "egress"),
                .refused("tier", why: "an AdminNetworkPolicy is always of tier Admin", instead: "remove the field"),
            ]),
        .baselineAdminNetworkPolicy: FieldTable(
            "spec",
            rows: [
                .enforced("subject", "ingress", "egress"),
                .refused(
                    "tier", why: "a BaselineAdminNetworkPolicy is always of tier Baseline", instead: "remove the field"),
                .refused(
                    "priority", why: "there is one BaselineAdminNetworkPolicy, so it has no priority",
                    instead: "remove the field"),
            ]),
    ]

    /// Reads a cluster-scoped policy of policy.networking.k8s.io. The second value says what to deny if there is an error: "for
    /// Accept rules, treat the rule as matching no traffic; for Deny and Pass rules, as a Deny all rule".
    static func decode(
        _ object: DocumentNode, _ kind: Kind, _ diagnostics: inout DiagnosticCollector
    ) -> (ClusterPolicy, [PolicyRefusal]) {
        let metadata = ObjectHeader.metadata(object, .cluster, isPolicy: true, &diagnostics)
        if kind == .baselineAdminNetworkPolicy, !metadata.name.isEmpty, metadata.name != "default" {
            diagnostics.error(
                .invalidValue, object["metadata"]?["name"] ?? object,
                "Only one baseline admin network policy with metadata.name=\"default\" can be created in the cluster",
                "write name: default")
        }
        var policy = ClusterPolicy(metadata: metadata, kind: kind, tier: kind.fixedTier ?? .admin, priority: 0)
        // Until more is known: every pod, both directions, before all other rules.
        var refusal = PolicyRefusal(
            origin: policy.origin, subject: .pods(.matching(LabelSelector()), LabelSelector()), ingress: true,
            egress: true, denies: [.ingress, .egress], tier: policy.tier, priority: 0)
        let before = diagnostics.errorCount
        guard let top = table.read(object, &diagnostics) else { return (policy, [refusal]) }
        guard let specNode = top["spec"] else {
            diagnostics.error(.missingField, object, "the policy has no spec", "write spec: with a subject and rules")
            return (policy, [refusal])
        }
        guard let spec = specTables[kind]?.read(specNode, &diagnostics) else { return (policy, [refusal]) }
        let isReadable = diagnostics.errorCount == before && !object.isFaulty
        if kind.fixedTier == nil, let tier = decodeTier(spec, &diagnostics) { policy.tier = tier }
        policy.priority = decodePriority(spec, kind, &diagnostics)
        policy.subject = decodeSubject(spec, kind, &diagnostics)
        let ingress = rules(spec["ingress"], kind, .ingress, &diagnostics)
        let egress = rules(spec["egress"], kind, .egress, &diagnostics)
        policy.ingress = ingress.rules
        policy.egress = egress.rules

        refusal.tier = policy.tier
        refusal.priority = policy.priority
        refusal.subject = .pods(.matching(policy.subject.namespaces), policy.subject.pods)
        if isReadable {
            refusal.ingress = ingress.mayDeny
            refusal.egress = egress.mayDeny
            refusal.denies = Set(Direction.allCases.filter { $0 == .ingress ? ingress.mayDeny : egress.mayDeny })
        }
        return (policy, [refusal])
    }

    private static func decodeTier(_ spec: Fields, _ diagnostics: inout DiagnosticCollector) -> Tier? {
        guard let node = spec["tier"] else {
            diagnostics.error(.missingField, spec.node, "`tier` is missing", "write tier: Admin or tier: Baseline")
            return nil
        }
        switch diagnostics.string(node) {
        case "Admin": return .admin
        case "Baseline": return .baseline
        case let text?:
            let near = Spelling.nearest(to: text, among: ["Admin", "Baseline"])
            diagnostics.error(
                .invalidValue, node,
                "Unsupported value: \"\(DocumentNode.shortened(text))\": supported values: \"Admin\", \"Baseline\"",
                near.map { "write \($0)" } ?? "choose one of these")
            return nil
        case nil: return nil
        }
    }

    /// "Required 0..1000". Zero, the strongest, when it cannot be read.
    private static func decodePriority(_ spec: Fields, _ kind: Kind, _ diagnostics: inout DiagnosticCollector) -> UInt32
    {
        if kind == .baselineAdminNetworkPolicy { return baselinePriority }
        guard let node = spec["priority"] else {
            diagnostics.error(
                .missingField, spec.node, "`priority` is missing",
                "write a number from 0 to 1000; lower numbers are evaluated first"
            )
            return 0
        }
        guard let value = diagnostics.integer(node) else { return 0 }
        guard let priority = UInt32(exactly: value), priority <= 1000 else {
            diagnostics.error(
                .invalidValue, node, "Invalid value: \(value): must be between 0 and 1000, inclusive",
                "write a number from 0 to 1000; lower numbers are evaluated first")
            return 0
        }
        return priority
    }

    /// "Exactly one of namespaces or pods; {} selects all." What cannot be read selects more, never less.
    private static func decodeSubject(_ spec: Fields, _ kind: Kind, _ diagnostics: inout DiagnosticCollector)
        -> PodSelection
    {
        guard let node = spec["subject"] else {
            diagnostics.error(
                .missingField, spec.node, "`subject` is missing", "write subject: {namespaces: {}} for every pod")
            return PodSelection()
        }
        return PodSelection.decodeSubject(node, of: kind, &diagnostics) ?? PodSelection()
    }

    /// The rules of a direction, and whether one of them may deny: Deny, Pass and what cannot be read.
    private static func rules(
        _ node: DocumentNode?, _ kind: Kind, _ direction: Direction, _ diagnostics: inout DiagnosticCollector
    ) -> (rules: [ClusterPolicyRule], mayDeny: Bool) {
        guard let node else { return ([], false) }
        guard let elements = diagnostics.list(node) else { return ([], true) }
        diagnostics.checkCount(node, upTo: kind.limit)
        let rules = elements.compactMap { ClusterPolicyRule.decode($0, kind, direction, &diagnostics) }
        let isWhole = rules.count == node.elements?.count
        return (rules, !isWhole || rules.contains { $0.action != .allow })
    }
}
