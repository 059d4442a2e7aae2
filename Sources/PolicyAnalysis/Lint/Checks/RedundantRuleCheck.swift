import NetTypes

/// Rules that allow nothing that another rule of the same policy does not allow.
enum RedundantRuleCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .redundantRule, .warning,
        title: "A rule that allows nothing new beside a wider one of the same policy",
        reason: """
            Rules are alternatives: what one allows, no other takes back. A narrow rule beside one that allows everything looks like \
            a restriction and is none. Often the wide one is a forgotten `- {}`, or a `from` that is missing.
            """,
        fix: "Remove the narrow rule, or, if it is what is meant, the wide one.",
        bad: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress:
                - from: [{podSelector: {matchLabels: {app: front}}}]
                  ports: [{port: 8080}]
                - {}
            """,
        good: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress:
                - from: [{podSelector: {matchLabels: {app: front}}}]
                  ports: [{port: 8080}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.policies {
            for direction in Direction.allCases {
                let rules = (policy[direction]?.rules ?? []).filter { rule in
                    rule.action == .allow && rule.l7 == nil && rule.peers != .anyOf([]) && rule.traffic != .anyOf([])
                }
                // A policy of very many rules is generated; all pairs of them would take long.
                guard rules.count > 1, rules.count <= 200 else { continue }
                check(rules.map(CoverableRule.init), &report)
            }
        }
    }

    private static func check(_ rules: [CoverableRule], _ report: inout LintReport) {
        for (index, rule) in rules.enumerated() {
            let wider = rules.enumerated().first { other, candidate in
                guard other != index, candidate.covers(rule) else { return false }
                // Of two that say the same, the second is too many.
                return other < index || !rule.covers(candidate)
            }
            guard let wider = wider?.element.rule else { continue }
            report.warn(
                .redundantRule, rule.rule.origin.path, of: rule.rule.origin,
                "\(wider.origin.path) allows all of this already",
                "remove this rule, or \(wider.origin.path) if that allows too much")
        }
    }
}
