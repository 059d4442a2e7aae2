import NetTypes
import PolicyAPI
import PolicyIR

/// `- namespaceSelector` and `- podSelector` as two elements, of which either is enough.
enum OrInsteadOfAndCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .orInsteadOfAnd, .warning,
        title: "Two elements of `from` or `to` where one with both selectors was probably meant",
        reason: """
            Elements of a list are alternatives. A namespaceSelector and a podSelector with two dashes select "every pod of these \
            namespaces, or these pods of the policy's own namespace", which is far more than "these pods of these namespaces". The \
            two differ by one dash. So it is with a peer and `toPorts` of a Cilium rule: a second element that has ports only opens \
            them to everybody. It is not reported where the known pods show that alternatives are intended.
            """,
        fix: """
            Remove the second dash, so that both selectors are in one element. If alternatives are intended, write them as two \
            rules, which cannot be misread.
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
            let origin = PolicyLowering.origin(of: policy)
            for rule in policy.ingress { check(rule, "from", policy, origin, cluster, &report) }
            for rule in policy.egress { check(rule, "to", policy, origin, cluster, &report) }
        }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                check(rule.ingress, .ingress, origin, &report)
                check(rule.egress, .egress, origin, &report)
            }
        }
    }

    /// `- toEntities: [...]` and `- toPorts: ...`: the second element allows its ports to anybody.
    private static func check(
        _ elements: [CiliumElement], _ direction: Direction, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        let open = elements.indices.filter { !elements[$0].hasPeers && elements[$0].toPorts.value != nil }
        guard open.count == 1, let index = open.first, !isForDNS(elements[index]) else { return }
        let beside = [index - 1, index + 1].filter { elements.indices.contains($0) && elements[$0].hasPeersAlone }
        guard let other = beside.first else { return }
        report.warn(
            .orInsteadOfAnd, elements[index].path, of: origin,
            "this is an element of its own, so its ports are open \(direction == .egress ? "to any destination" : "to anybody"); "
                + "\(elements[other].path) has no ports, so all are open with its peers",
            "to match peers by ports, remove the dash before toPorts; to match either, write two rules")
    }

    /// Whether an element is about look-ups, which may go to any server.
    private static func isForDNS(_ element: CiliumElement) -> Bool {
        (element.toPorts.value ?? []).flatMap(\.ports).allSatisfy { port in
            if case .range(let range) = port.port { range.first == 53 && range.last == 53 } else { false }
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
            // An ipBlock next to them, or an element with both, shows that the author knows what elements mean.
            case .pods, .ipBlock: return
            }
        }
        guard scopes.count == 1, selectors.count == 1, let scope = scopes.first, let pods = selectors.first,
            abs(scope.index - pods.index) == 1,
            // "All pods of my namespace, or of those" cannot be meant as "and", which would be the namespaces alone.
            !pods.selector.requirements.isEmpty,
            !isIntended(scope.selector, pods.selector, in: policy.metadata.namespace, cluster)
        else { return }
        let every = scope.selector.requirements.isEmpty ? "every pod of every namespace" : "every pod of the namespaces"
        report.warn(
            .orInsteadOfAnd, "\(rule.path).\(list)[\(max(scope.index, pods.index))]", of: origin,
            "this is a second element, so \(every)"
                + (scope.selector.requirements.isEmpty ? "" : " with \(LintText.selector(scope.selector))")
                + " matches, or a pod of \(policy.metadata.namespace) with \(LintText.selector(pods.selector))",
            "to match pods by both selectors, remove its dash; to match either, write two rules")
    }

    /// Whether the pods show that alternatives are intended: the policy's namespace has such pods and the selected ones have none.
    private static func isIntended(
        _ scope: LabelSelector, _ pods: LabelSelector, in namespace: String, _ cluster: LintCluster
    ) -> Bool {
        !cluster.pods(matching: .pods(.named(namespace), pods)).isEmpty
            && !cluster.pods(matching: .pods(.matching(scope), LabelSelector())).isEmpty
            && cluster.pods(matching: .pods(.matching(scope), pods)).isEmpty
    }
}

extension CiliumElement {
    /// Whether it says who the other end is.
    fileprivate var hasPeers: Bool {
        !(endpoints.isAbsent && entities.isAbsent && cidrs.isAbsent && cidrSet.isAbsent && services.isAbsent
            && nodes.isAbsent && fqdns.isAbsent)
    }

    /// Whether it says nothing else, and not that everybody is.
    fileprivate var hasPeersAlone: Bool {
        hasPeers && toPorts.isAbsent && icmps.isAbsent && !(entities.value ?? []).contains(.all)
    }
}
