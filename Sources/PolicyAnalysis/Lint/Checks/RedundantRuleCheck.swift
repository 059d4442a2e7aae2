import NetTypes
import PolicyAPI
import PolicyIR

/// Rules that allow only what another rule of the same policy allows.
enum RedundantRuleCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .redundantRule, .warning,
        title: "A rule that a wider rule of the same policy makes redundant",
        reason: """
            Rules are alternatives: no rule can take back what another allows. A narrow rule next to one that allows everything \
            looks like a restriction but is not. Often the wide one is a forgotten `- {}`, or lacks its `from`. It is not reported of a \
            rule whose peers are reported themselves: those select nothing, and what was meant is unknown.
            """,
        fix: "Remove the narrow rule, or, if that one is intended, the wide one.",
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

    /// What is reported of peers that do not select what is meant.
    private static let aboutPeers: [DiagnosticID] = [.selectsNothing, .dnsPeerWithoutNamespace, .namespaceLabelKey]

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.policies {
            for direction in Direction.allCases {
                let rules = (policy[direction]?.rules ?? []).filter { rule in
                    rule.action == .allow && rule.l7 == nil && rule.peers != .anyOf([]) && rule.traffic != .anyOf([])
                }
                // A policy with very many rules is generated; comparing all pairs would take too long.
                guard rules.count > 1, rules.count <= 200 else { continue }
                check(rules.map(CoverableRule.init), &report)
            }
        }
    }

    private static func check(_ rules: [CoverableRule], _ report: inout LintReport) {
        for (index, rule) in rules.enumerated() {
            let wider = rules.enumerated().first { other, candidate in
                guard other != index, candidate.covers(rule) else { return false }
                // Of two equal rules, the second is redundant.
                return other < index || !rule.covers(candidate)
            }
            guard let wider = wider?.element.rule,
                !report.hasReported(aboutPeers, in: element(of: rule.rule.origin.path), of: rule.rule.origin)
            else { continue }
            report.warn(
                .redundantRule, rule.rule.origin.path, of: rule.rule.origin,
                "\(wider.origin.path) already allows all of this",
                "remove this rule, or \(wider.origin.path) if that allows too much")
        }
    }

    /// The path of the element that a rule is from: a Cilium element has a rule for each entry of its `toPorts`.
    private static func element(of path: String) -> String {
        path.firstRange(of: ".toPorts[").map { String(path[..<$0.lowerBound]) } ?? path
    }
}
