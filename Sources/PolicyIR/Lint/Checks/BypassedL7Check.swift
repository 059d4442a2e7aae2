/// L7 rules beside a plain rule that allows the same connections.
enum BypassedL7Check: LintCheck {
    static let entry = DiagnosticEntry(
        .bypassedL7, .warning,
        title: "HTTP, DNS or server name rules that a plain rule makes pointless",
        reason: """
            Rules are alternatives. Where another rule allows the same peers on the same ports without looking inside, requests are \
            not looked at: everything passes. All policies of the same pods count together.
            """,
        fix: "Remove the plain rule or narrow it, so that only the L7 rules allow the port.",
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints: [{matchLabels: {app: front}}]
                - fromEndpoints: [{matchLabels: {app: front}}]
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules: {http: [{method: GET}]}
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints: [{matchLabels: {app: front}}]
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules: {http: [{method: GET}]}
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for direction in Direction.allCases {
            for number in cluster.policies.indices {
                let guarded = (cluster.policies[number][direction]?.rules ?? []).filter { $0.l7 != nil }
                guard !guarded.isEmpty else { continue }
                let plain = cluster.policies(covering: number).flatMap { cluster.policies[$0][direction]?.rules ?? [] }
                    .filter { $0.action == .allow && $0.l7 == nil }
                for rule in guarded where rule.peers != .anyOf([]) {
                    guard
                        let wide = plain.first(where: {
                            $0.tier == rule.tier && $0.peers.covers(rule.peers) && $0.traffic.covers(rule.traffic)
                        })
                    else { continue }
                    report.warn(
                        .bypassedL7, "\(rule.origin.path).\(word(rule.l7))", of: rule.origin,
                        "\(wide.origin) allows the same connections without looking inside, so these rules decide nothing",
                        "remove or narrow the plain rule")
                }
            }
        }
    }

    private static func word(_ l7: L7Match?) -> String {
        if case .serverNames = l7 { "serverNames" } else { "rules" }
    }
}
