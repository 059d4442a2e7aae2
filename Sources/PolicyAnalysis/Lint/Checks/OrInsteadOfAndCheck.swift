import PolicyAPI
import PolicyIR

/// `- namespaceSelector` and `- podSelector` as two elements: either is enough.
enum OrInsteadOfAndCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .orInsteadOfAnd, .warning,
        title: "Two elements of `from` or `to` where one with both selectors was probably meant",
        reason: """
            Elements of a list are alternatives. A namespaceSelector and a podSelector behind two dashes mean "every pod of these \
            namespaces, or these pods of the policy's own namespace", which is far more than "these pods of these namespaces". The \
            two differ by one dash. Nothing is said where the known pods show that the alternatives were meant.
            """,
        fix: """
            Remove the second dash, so that both selectors stand in one element. If alternatives are meant, write them as two rules: \
            nobody can misread those.
            """,
        bad: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: metrics, namespace: shop}
            spec:
              podSelector: {}
              ingress:
                - from:
                    - namespaceSelector:
                        matchLabels: {purpose: monitoring}
                    - podSelector:
                        matchLabels: {app: prometheus}
            """,
        good: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: metrics, namespace: shop}
            spec:
              podSelector: {}
              ingress:
                - from:
                    - namespaceSelector:
                        matchLabels: {purpose: monitoring}
                      podSelector:
                        matchLabels: {app: prometheus}
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.networkPolicies {
            let origin = PolicyLowering.lower(policy).origin
            for rule in policy.ingress { check(rule, "from", policy, origin, cluster, &report) }
            for rule in policy.egress { check(rule, "to", policy, origin, cluster, &report) }
        }
    }

    private static func check(
        _ rule: NetworkPolicyRule, _ list: String, _ policy: NetworkPolicy, _ origin: RuleOrigin,
        _ cluster: LintCluster, _ report: inout LintReport
    ) {
        var scopes: [(index: Int, selector: LabelSelector)] = []
        var selectors: [(index: Int, selector: LabelSelector)] = []
        for (index, peer) in rule.peers.enumerated() {
            switch peer {
            case .pods(let namespaces?, nil): scopes.append((index, namespaces))
            case .pods(nil, let pods?): selectors.append((index, pods))
            // An address block beside them shows that the author knows what elements are; so does an element with both.
            case .pods, .ipBlock: return
            }
        }
        guard scopes.count == 1, selectors.count == 1, let scope = scopes.first, let pods = selectors.first,
            abs(scope.index - pods.index) == 1,
            // "All pods of my namespace, or of those" is no mistake for "and": that would be the namespaces alone.
            !pods.selector.requirements.isEmpty,
            !isMeant(scope.selector, pods.selector, in: policy.metadata.namespace, cluster)
        else { return }
        let every = scope.selector.requirements.isEmpty ? "every pod of every namespace" : "every pod of the namespaces"
        report.warn(
            .orInsteadOfAnd, "\(rule.path).\(list)[\(max(scope.index, pods.index))]", of: origin,
            "this is a second element, so \(every)"
                + (scope.selector.requirements.isEmpty ? "" : " with \(LintWords.selector(scope.selector))")
                + " matches, or a pod of \(policy.metadata.namespace) with \(LintWords.selector(pods.selector))",
            "to match pods by both, remove its dash; if either is meant, write two rules")
    }

    /// Whether the pods show it: the own namespace has such pods and the selected ones have none.
    private static func isMeant(
        _ scope: LabelSelector, _ pods: LabelSelector, in namespace: String, _ cluster: LintCluster
    ) -> Bool {
        !cluster.pods(matching: .pods(.named(namespace), pods)).isEmpty
            && !cluster.pods(matching: .pods(.matching(scope), LabelSelector())).isEmpty
            && cluster.pods(matching: .pods(.matching(scope), pods)).isEmpty
    }
}
