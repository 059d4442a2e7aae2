import PolicyAPI
import PolicyIR

/// Names whose addresses are never learnt.
enum FQDNWithoutDNSRuleCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .fqdnWithoutDNSRule, .warning,
        title: "toFQDNs without a DNS rule that observes the name",
        reason: """
            The addresses of a name are learnt from the DNS answers to its pods, and answers are only inspected where an egress rule \
            for port 53 has `rules.dns` that match the name. With a plain rule for port 53 queries are not inspected. Then the name \
            has no addresses, and toFQDNs allows nothing.
            """,
        fix: """
            Add an egress element to the DNS pods on port 53 with `rules: {dns: [...]}` that match the name, in any policy of the \
            same pods.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              egress:
                - toFQDNs: [{matchName: api.example.com}]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              egress:
                - toFQDNs: [{matchName: api.example.com}]
                - toEndpoints:
                    - matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}
                  toPorts:
                    - ports: [{port: "53", protocol: ANY}]
                      rules: {dns: [{matchName: api.example.com}]}
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules where rule.egress.contains(where: { $0.fqdns.value != nil }) {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                guard let number = cluster.numbers[origin] else { continue }
                let observed = observers(of: number, cluster).flatMap { observedNames(cluster.policies[$0]) }
                for element in rule.egress {
                    for (index, selector) in (element.fqdns.value ?? []).enumerated()
                    where !observed.contains(where: { observes($0, selector) }) {
                        report.warn(
                            .fqdnWithoutDNSRule, "\(element.path).toFQDNs[\(index)]", of: origin,
                            "no DNS rule of these pods observes \(text(selector)), so its addresses are never learnt",
                            "add an egress element to the DNS pods on port 53 with rules: {dns: [...]} that match the name"
                        )
                    }
                }
            }
        }
    }

    /// The policies whose DNS rules count: those of the same pods. Where no file shows these pods, those that may select them too, by
    /// labels that nobody has seen.
    private static func observers(of number: Int, _ cluster: LintCluster) -> [Int] {
        guard cluster.subjects[number].isEmpty, let scope = cluster.scopes[number] else {
            return cluster.policies(covering: number)
        }
        return cluster.policies.indices.filter { cluster.scopes[$0]?.mayMeet(scope) ?? false }
    }

    /// The selectors of the policy's DNS rules.
    private static func observedNames(_ policy: LoweredPolicy) -> [FQDNSelector] {
        (policy.egress?.rules ?? []).flatMap { rule -> [FQDNSelector] in
            if case .dns(let names)? = rule.l7 { names.map(\.value) } else { [] }
        }
    }

    /// Whether a DNS rule matches every name that a selector of toFQDNs matches, or at least an example of them.
    private static func observes(_ rule: FQDNSelector, _ selector: FQDNSelector) -> Bool {
        if rule == selector { return true }
        // An example of the names that a pattern matches.
        let example = text(selector).replacing("**.", with: "a.b.").replacing("*", with: "a")
        return NamePattern(rule, for: .queries).matches(example)
    }

    private static func text(_ selector: FQDNSelector) -> String {
        switch selector {
        case .name(let text), .pattern(let text): text
        }
    }
}
