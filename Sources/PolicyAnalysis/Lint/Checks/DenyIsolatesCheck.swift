import NetTypes
import PolicyIR

/// Rules with only deny elements, which isolate their pods.
enum DenyIsolatesCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .denyIsolates, .warning,
        title: "A rule with only deny elements, which isolates its pods",
        reason: """
            Any element of a Cilium rule isolates the pods in its direction, including deny elements. A rule with only a deny \
            therefore denies everything, not just what it lists, unless other policies allow something. It is not reported where \
            another policy isolates the same pods anyway.
            """,
        fix: """
            Write `enableDefaultDeny: {ingress: false}` (or `egress`) to deny only what is listed; write `true` if isolation is intended.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: no-world, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingressDeny:
                - fromEntities: [world]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: no-world, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              enableDefaultDeny: {ingress: false}
              ingressDeny:
                - fromEntities: [world]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                guard let number = cluster.numbers[origin] else { continue }
                let isLone = (
                    ingress: rule.ingress.isEmpty && !rule.ingressDeny.isEmpty && rule.defaultDenyIngress == nil,
                    egress: rule.egress.isEmpty && !rule.egressDeny.isEmpty && rule.defaultDenyEgress == nil
                )
                for (direction, isLone) in [(Direction.ingress, isLone.ingress), (.egress, isLone.egress)]
                where isLone && !cluster.isIsolatedByOthers(number, direction) {
                    let name = direction == .ingress ? "ingress" : "egress"
                    report.warn(
                        .denyIsolates, "\(rule.path).\(name)Deny", of: origin,
                        "a rule with only deny elements isolates its pods: all \(name) is denied, not just what is listed here",
                        "write enableDefaultDeny: {\(name): false} to deny only this, or true if isolation is intended")
                }
            }
        }
    }
}
