import NetTypes
import PolicyIR

/// L7 rules next to a plain rule that allows the same connections.
enum BypassedL7Check: LintCheck {
    static let entry = DiagnosticEntry(
        .bypassedL7, .warning,
        title: "HTTP, DNS or server name rules that a plain rule bypasses",
        reason: """
            Rules are alternatives. Where another rule allows the same peers on the same ports without L7 rules, requests are not \
            inspected: everything is allowed. All policies of the same pods are combined.
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
            let hasL7 = cluster.policies.contains { $0[direction]?.rules.contains { $0.l7 != nil } ?? false }
            guard hasL7 else { continue }
            let plain = cluster.policies.map { policy in
                (policy[direction]?.rules ?? []).filter { $0.action == .allow && $0.l7 == nil }
                    .map(CoverableRule.init)
            }
            for (number, policy) in cluster.policies.enumerated() {
                let guarded = (policy[direction]?.rules ?? []).filter { $0.l7 != nil && $0.peers != .anyOf([]) }
                    .map(CoverableRule.init)
                guard !guarded.isEmpty else { continue }
                let candidates = cluster.policies(covering: number).filter { !plain[$0].isEmpty }
                for rule in guarded {
                    guard
                        let wide = candidates.lazy.flatMap({ plain[$0] }).first(where: { covers($0, rule) })?.rule
                    else { continue }
                    report.warn(
                        .bypassedL7, "\(rule.rule.origin.path).\(word(rule.rule.l7))", of: rule.rule.origin,
                        "\(wide.origin) allows the same connections without L7 rules, so these rules have no effect",
                        "remove or narrow the plain rule")
                }
            }
        }
    }

    /// Whether a plain rule allows what a guarded one asks about, after what server names take from it.
    private static func covers(_ plain: CoverableRule, _ guarded: CoverableRule) -> Bool {
        guard plain.covers(guarded) else { return false }
        guard guarded.rule.asksForServerName else { return true }
        return plain.rule.parts(without: guarded.rule).contains { CoverableRule($0).covers(guarded) }
    }

    private static func word(_ l7: L7Match?) -> String {
        if case .serverNames = l7 { "serverNames" } else { "rules" }
    }
}
