import PolicyAPI
import PolicyIR

/// Labels of namespaces in a Cilium selector, which are none of pods: `io.kubernetes.pod.namespace.labels.X`,
/// `kubernetes.io/metadata.name`, `namespace`.
enum NamespaceLabelKeyCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .namespaceLabelKey, .warning,
        title: "A label key that is meant for a namespace and is no label of pods",
        reason: """
            A Cilium selector is about the labels of pods. It selects pods by their namespace's name under \
            `k8s:io.kubernetes.pod.namespace`, and by the labels of their namespace under `io.cilium.k8s.namespace.labels.`. The keys \
            `kubernetes.io/metadata.name` and `io.kubernetes.pod.namespace.labels.` are found on no pod; `namespace` is reported where it has \
            the name of a known namespace and no known pod has such a label.
            """,
        fix: """
            Write `k8s:io.kubernetes.pod.namespace: NAME` for a namespace by its name, and `k8s:io.cilium.k8s.namespace.labels.` before \
            the key of its label.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {}
              ingress:
                - fromEndpoints:
                    - matchLabels: {k8s:io.kubernetes.pod.namespace.labels.team: front}
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {}
              ingress:
                - fromEndpoints:
                    - matchLabels: {k8s:io.cilium.k8s.namespace.labels.team: front}
            """)

    private static let lookAlike = CiliumKey.namespace + ".labels."

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                if case .endpoints(let selector) = rule.subject {
                    check(selector, "\(rule.path).endpointSelector", origin, cluster, &report)
                }
                for (elements, field) in [
                    (rule.ingress + rule.ingressDeny, "fromEndpoints"), (rule.egress + rule.egressDeny, "toEndpoints"),
                ] {
                    for element in elements {
                        for (index, selector) in (element.endpoints.value ?? []).enumerated() {
                            check(selector, "\(element.path).\(field)[\(index)]", origin, cluster, &report)
                        }
                    }
                }
            }
        }
    }

    private static func check(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ cluster: LintCluster,
        _ report: inout LintReport
    ) {
        for requirement in selector.requirements {
            guard let key = meant(by: requirement, cluster) else { continue }
            let isRequired = requirement.operator == .isIn || requirement.operator == .exists
            report.warn(
                .namespaceLabelKey, path, of: origin,
                "\(requirement.key) is no label of pods, so the selector "
                    + (isRequired ? "matches nothing" : "excludes nothing by it"),
                "write k8s:\(key)" + (key == CiliumKey.namespace && isRequired ? text(of: requirement.values) : ""))
        }
    }

    /// Whether a selector has a condition that is reported by this check.
    static func isMistaken(_ selector: LabelSelector, _ cluster: LintCluster) -> Bool {
        selector.requirements.contains { meant(by: $0, cluster) != nil }
    }

    /// The key that was meant by one which no pod has; `nil` for any other.
    private static func meant(by requirement: LabelRequirement, _ cluster: LintCluster) -> String? {
        guard requirement.source == "any" || requirement.source == "k8s" else { return nil }
        let key = requirement.key
        if key.hasPrefix(lookAlike) { return "\(CiliumKey.namespaceLabelPrefix)\(key.dropFirst(lookAlike.count))" }
        if key == SubjectScope.namespaceName { return CiliumKey.namespace }
        guard key == "namespace", requirement.operator == .isIn,
            requirement.values.allSatisfy({ cluster.namespaces[$0] != nil || cluster.populated.contains($0) }),
            !cluster.labels(of: nil).has(key: key)
        else { return nil }
        return CiliumKey.namespace
    }

    private static func text(of values: [String]) -> String {
        values.isEmpty ? "" : ": " + values.joined(separator: ", ")
    }
}
