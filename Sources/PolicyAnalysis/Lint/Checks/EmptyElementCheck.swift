import NetTypes
import PolicyAPI
import PolicyIR

/// `ingress: [{}]` of a Cilium policy.
enum EmptyElementCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .emptyElement, .warning,
        title: "An empty element of a Cilium rule list, which allows nothing",
        reason: """
            In a NetworkPolicy the rule `{}` allows everything. In a Cilium policy the element `{}` selects no peer: it isolates the \
            pods in its direction and allows nothing. It is not reported where that is clearly intended: where the name or \
            description of the policy mentions denying, isolating, blocking or locking down.
            """,
        fix: """
            To allow everything, write `fromEntities: [all]` (egress: `toEntities: [all]`). To allow nothing, say so in the name or \
            the description of the policy.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - {}
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEntities: [all]
            """)

    private static let words = ["deny", "denie", "isolat", "block", "lock", "drop", "closed", "quarantine"]

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let text = (policy.metadata.name + " " + rule.description).lowercased()
                let isIntended = words.contains { text.contains($0) }
                check(rule.ingress, rule.ingressDeny, .ingress, isIntended, rule, policy, &report)
                check(rule.egress, rule.egressDeny, .egress, isIntended, rule, policy, &report)
            }
        }
    }

    private static func check(
        _ allows: [CiliumElement], _ denies: [CiliumElement], _ direction: Direction, _ isIntended: Bool,
        _ rule: CiliumRule, _ policy: CiliumPolicy, _ report: inout LintReport
    ) {
        let origin = PolicyLowering.origin(of: rule, in: policy)
        let entities = direction == .ingress ? "fromEntities" : "toEntities"
        for element in allows where isEmpty(element) {
            // Alone it is the usual way to allow nothing; next to other elements it adds nothing.
            guard !isIntended || allows.count > 1 else { continue }
            report.warn(
                .emptyElement, element.path, of: origin,
                allows.count > 1
                    ? "the element {} selects no peer and adds nothing to the other elements"
                    : "the element {} selects no peer: nothing is allowed, unlike in a NetworkPolicy",
                "to allow everything, write \(entities): [all]; to allow nothing, say so in the policy's name or description"
            )
        }
        for element in denies where isEmpty(element) {
            report.warn(
                .emptyElement, element.path, of: origin,
                "the element {} selects no peer, so it denies nothing by itself",
                "to deny everything, write \(entities): [all]")
        }
    }

    private static func isEmpty(_ element: CiliumElement) -> Bool {
        element == CiliumElement(path: element.path, location: element.location)
    }
}
