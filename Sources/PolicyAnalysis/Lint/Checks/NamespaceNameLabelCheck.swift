import PolicyIR

/// `namespaceSelector: {matchLabels: {name: x}}`.
enum NamespaceNameLabelCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .namespaceNameLabel, .note,
        title: "A namespaceSelector that matches the label `name`, which namespaces do not have by default",
        reason: """
            Kubernetes gives every namespace the label `kubernetes.io/metadata.name`. The label `name` exists only if somebody added \
            it, which many examples assume. A namespace without it is not selected.
            """,
        fix: "Use `kubernetes.io/metadata.name`, or add the namespace with its label to the manifests.",
        bad: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {}
              ingress:
                - from:
                    - namespaceSelector: {matchLabels: {name: monitoring}}
            """,
        good: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {}
              ingress:
                - from:
                    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        let declared = Set(cluster.namespaces.values.compactMap { $0.metadata.labels["name"] })
        for policy in cluster.objects.networkPolicies {
            let origin = PolicyLowering.origin(of: policy)
            for (rules, list) in [(policy.ingress, "from"), (policy.egress, "to")] {
                for rule in rules {
                    for (index, peer) in rule.peers.enumerated() {
                        guard case .pods(let selector?, _) = peer,
                            let name = selector.requirements.first(where: { $0.key == "name" && $0.operator == .isIn }),
                            // For a namespace that is known to have the label or not, selects-nothing applies.
                            name.values.allSatisfy({ !declared.contains($0) && cluster.namespaces[$0] == nil })
                        else { continue }
                        report.note(
                            .namespaceNameLabel, "\(rule.path).\(list)[\(index)].namespaceSelector", of: origin,
                            "namespaces have the label `name` only if somebody added it",
                            "use kubernetes.io/metadata.name: \(name.values.joined(separator: ", "))")
                    }
                }
            }
        }
    }
}
