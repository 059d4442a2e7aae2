import PolicyAPI
import PolicyIR

/// Selectors that nothing matches.
enum SelectsNothingCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .selectsNothing, .warning,
        title: "A selector that no known pod or namespace matches",
        reason: """
            A policy whose subject matches no pod protects nothing, and a peer that matches nothing allows nothing. Usually a label \
            is misspelt, or its key differs (`app` and `app.kubernetes.io/name`). This is only reported for namespaces whose pods (or \
            workloads) are among the files, and for a selector that may match other namespaces only if a known label is similar. Where \
            only workloads are known it is a note, unless a label is similar: operators and charts make pods that no file shows. A \
            namespace that no file declares is reported where a declared one has a similar name.
            """,
        fix: """
            Compare the selector with the labels of the pods (`kubectl get pods --show-labels`) and of the namespaces. If the pods \
            are intentionally not among the files, allow the id.
            """,
        bad: """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: wbe}}
            """,
        good: """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for number in cluster.policies.indices { checkSubject(number, cluster, &report) }
        guard !cluster.populated.isEmpty || !cluster.namespaces.isEmpty else { return }
        var peers = PeerSelectorCheck(cluster)
        for policy in cluster.policies { peers.checkNamespaces(ofSubject: policy, &report) }
        for policy in cluster.objects.networkPolicies { peers.check(policy, &report) }
        for policy in cluster.objects.ciliumPolicies { peers.check(policy, &report) }
        for policy in cluster.objects.clusterPolicies { peers.check(policy, &report) }
    }

    private static func checkSubject(_ number: Int, _ cluster: LintCluster, _ report: inout LintReport) {
        let policy = cluster.policies[number]
        guard cluster.subjects[number].isEmpty, let scope = cluster.scopes[number], !scope.conditions.isEmpty,
            // A subject such as reserved:init is not a pod.
            !scope.conditions.contains(where: { $0.source == "reserved" }),
            !scope.conditions.contains(where: { $0.key.hasPrefix(CiliumKey.namespaceLabelPrefix) })
        else { return }
        let selector: LabelSelector
        let field: String
        switch policy.subject {
        case .pods(.named, let written): (selector, field) = (written, "podSelector")
        case .endpoints(let lowered):
            (selector, field) = (LintText.written(lowered), "endpointSelector")
            // Reported as what it is.
            if NamespaceLabelKeyCheck.isMistaken(selector, cluster) { return }
        // Checked as peers are.
        case .pods(.matching, _), .nodes: return
        }
        let spec = policy.origin.path.isEmpty ? "spec" : policy.origin.path
        if isOfHostPods(selector, in: scope.namespaces, cluster) {
            return warnHostPods("\(spec).\(field)", policy.origin, &report)
        }
        guard !cluster.populated.isEmpty, scope.namespaces?.isSubset(of: cluster.populated) ?? true else { return }
        let miss = cluster.labels(of: scope.namespaces).miss(selector)
        let place = scope.namespaces.map { " of \($0.sorted().joined(separator: ", "))" } ?? ""
        report.report(
            .selectsNothing, isCertain: miss.near != nil || cluster.knowsAllPods(of: scope.namespaces),
            "\(spec).\(field)", of: policy.origin,
            "no pod\(place) has \(miss.conditions), so the policy selects nothing",
            miss.near.map { "did you mean \($0)?" } ?? "compare it with the pod labels")
    }

    /// Whether hostNetwork pods of these namespaces, or of any, match a selector that no other pod matches.
    static func isOfHostPods(_ selector: LabelSelector, in namespaces: Set<String>?, _ cluster: LintCluster) -> Bool {
        cluster.objects.pods.contains {
            $0.hostNetwork && (namespaces?.contains($0.metadata.namespace) ?? true)
                && selector.matches($0.metadata.labels)
        }
    }

    /// Reports a policy whose subject only hostNetwork pods match.
    static func warnHostPods(_ path: String, _ origin: RuleOrigin, _ report: inout LintReport) {
        report.warn(
            .selectsNothing, path, of: origin,
            "only hostNetwork pods match, which policies treat as their node, so this selects nothing",
            "isolate the node itself, by a host policy, or run the pods on the pod network")
    }
}
