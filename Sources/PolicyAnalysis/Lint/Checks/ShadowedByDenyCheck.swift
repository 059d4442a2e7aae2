import NetTypes

/// Allow rules that a deny rule overrides entirely.
enum ShadowedByDenyCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .shadowedByDeny, .warning,
        title: "An allow rule that a deny rule overrides entirely, so that it never allows anything",
        reason: """
            Within a tier and priority deny beats allow, whatever the order, and however narrow the allow is. A deny for the same \
            pods whose peers and ports include all of those of an allow overrides it entirely.
            """,
        fix: """
            Narrow the deny so that it excludes what is to be allowed, or remove the allow. Exclude part of a prefix with `except`.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromCIDR: [203.0.113.0/24]
              ingressDeny:
                - fromEntities: [world]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromCIDR: [203.0.113.0/24]
              ingressDeny:
                - fromCIDRSet: [{cidr: 198.51.100.0/24}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for direction in Direction.allCases {
            let denies = cluster.policies.map { policy in
                (policy[direction]?.rules ?? []).filter { $0.action == .deny }.map(CoverableRule.init)
            }
            guard denies.contains(where: { !$0.isEmpty }) else { continue }
            for (number, policy) in cluster.policies.enumerated() {
                let allows = (policy[direction]?.rules ?? []).filter { $0.action == .allow && $0.peers != .anyOf([]) }
                    .map(CoverableRule.init)
                guard !allows.isEmpty else { continue }
                let candidates = cluster.policies(covering: number).filter { !denies[$0].isEmpty }
                for allow in allows {
                    guard
                        let deny = candidates.lazy.flatMap({ denies[$0] }).first(where: { $0.covers(allow) })?.rule
                    else { continue }
                    report.warn(
                        .shadowedByDeny, allow.rule.origin.path, of: allow.rule.origin,
                        "this allows nothing: \(deny.origin) denies all of it",
                        "narrow the deny, or remove this rule")
                }
            }
        }
    }
}
