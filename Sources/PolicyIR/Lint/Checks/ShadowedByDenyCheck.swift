/// Allow rules that a deny rule leaves nothing to allow.
enum ShadowedByDenyCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .shadowedByDeny, .warning,
        title: "An allow rule that a deny rule covers whole, so that it never allows anything",
        reason: """
            Within a tier and priority deny beats allow, whatever the order, and however narrow the allow is. A deny for the same \
            pods whose peers and ports hold all of an allow's leaves nothing of it.
            """,
        fix: """
            Narrow the deny so that it leaves out what is to be allowed, or remove the allow. An exception from a prefix is written \
            with `except`.
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
            let isDenying = cluster.policies.map { $0[direction]?.rules.contains { $0.action == .deny } ?? false }
            guard isDenying.contains(true) else { continue }
            for number in cluster.policies.indices {
                let allows = (cluster.policies[number][direction]?.rules ?? []).filter { $0.action == .allow }
                guard !allows.isEmpty else { continue }
                let denies = cluster.policies(covering: number).filter { isDenying[$0] }
                    .flatMap { cluster.policies[$0][direction]?.rules ?? [] }.filter { $0.action == .deny }
                for allow in allows where allow.peers != .anyOf([]) {
                    guard let deny = denies.first(where: { covers($0, allow) }) else { continue }
                    report.warn(
                        .shadowedByDeny, allow.origin.path, of: allow.origin,
                        "nothing is allowed by this: \(deny.origin) denies all of it",
                        "narrow the deny, or remove this rule")
                }
            }
        }
    }

    private static func covers(_ deny: PolicyRule, _ allow: PolicyRule) -> Bool {
        deny.tier == allow.tier && deny.priority <= allow.priority && deny.peers.covers(allow.peers)
            && deny.traffic.covers(allow.traffic)
            // Where the order of a list counts, what stands before a deny may take flows from it.
            && (deny.order == 0 || deny.precedesInItsObject(allow))
    }
}
