import PolicyAPI
import PolicyIR

/// `io.kubernetes.pod.namespace.labels.X`, which is not how Cilium names the label X of a namespace.
enum NamespaceLabelKeyCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .namespaceLabelKey, .warning,
        title: "A label key that looks like that of a namespace's label and is not",
        reason: """
            Cilium selects pods by the labels of their namespace under `io.cilium.k8s.namespace.labels.`. Under \
            `io.kubernetes.pod.namespace.labels.` nothing is ever found: it is a label that pods themselves would have to carry.
            """,
        fix: "Write `k8s:io.cilium.k8s.namespace.labels.` before the label's key.",
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
                    check(selector, "\(rule.path).endpointSelector", origin, &report)
                }
                for (elements, field) in [
                    (rule.ingress + rule.ingressDeny, "fromEndpoints"), (rule.egress + rule.egressDeny, "toEndpoints"),
                ] {
                    for element in elements {
                        for (index, selector) in (element.endpoints.value ?? []).enumerated() {
                            check(selector, "\(element.path).\(field)[\(index)]", origin, &report)
                        }
                    }
                }
            }
        }
    }

    private static func check(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        for requirement in selector.requirements where requirement.key.hasPrefix(lookAlike) {
            let label = requirement.key.dropFirst(lookAlike.count)
            report.warn(
                .namespaceLabelKey, path, of: origin,
                "\(requirement.key) is no label of a namespace, so the selector matches nothing",
                "write k8s:\(CiliumKey.namespaceLabelPrefix)\(label)")
        }
    }
}
