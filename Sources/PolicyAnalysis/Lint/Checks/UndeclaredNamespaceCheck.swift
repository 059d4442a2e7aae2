import PolicyAPI

/// Policies in unknown namespaces.
enum UndeclaredNamespaceCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .undeclaredNamespace, .warning,
        title: "A policy in a namespace without a Namespace object and without pods",
        reason: """
            A policy selects pods of its own namespace only. If manifests declare namespaces and this one is not among them, it is \
            probably misspelt, or `metadata.namespace` is missing and the policy is in `default`. It is not reported where manifests \
            declare no namespace at all.
            """,
        fix: "Use the namespace of the pods, or declare it.",
        bad: """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shpo}
            spec: {podSelector: {}}
            """,
        good: """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec: {podSelector: {}}
            """)

    /// Namespaces of every cluster.
    private static let builtIn: Set<String> = ["kube-system", "kube-public", "kube-node-lease"]

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        guard !cluster.namespaces.isEmpty else { return }
        let populated = Set(
            cluster.objects.pods.map(\.metadata.namespace) + cluster.objects.services.map(\.metadata.namespace))
        let names = cluster.namespaces.keys.sorted()
        // A repository that declares less than half of its namespaces leaves it to others.
        let used = populated.union(cluster.policies.map(\.origin.namespace)).union(names).subtracting(builtIn)
            .subtracting([""])
        guard used.count(where: { cluster.namespaces[$0] != nil }) * 2 >= used.count else { return }
        var seen: Set<RuleOrigin> = []
        for policy in cluster.policies {
            var origin = policy.origin
            origin.path = ""
            let namespace = origin.namespace
            guard !namespace.isEmpty, cluster.namespaces[namespace] == nil, !populated.contains(namespace),
                !builtIn.contains(namespace), seen.insert(origin).inserted
            else { continue }
            report.warn(
                .undeclaredNamespace, "metadata.namespace", of: origin,
                namespace == "default"
                    ? "the policy is in the namespace default, which has no other objects"
                    : "there is no Namespace \(namespace), and no pod is in it",
                Spelling.nearest(to: namespace, among: names).map { "did you mean \($0)?" }
                    ?? "the namespaces are \(names.prefix(8).joined(separator: ", "))"
                    + (names.count > 8 ? ", ..." : ""))
        }
    }
}
