/// Which of a pod's own labels are part of its Cilium identity (docs/spec/cilium-network-policy.md 4.3). A Cilium selector that
/// names another label never matches.
package enum IdentityLabelFilter {
    /// Keys and prefixes that are in, whatever the exclusions say.
    private static let included = ["app.kubernetes.io"]

    /// Prefixes that are out: labels that controllers give each pod anew would make every pod an identity of its own.
    private static let excluded = [
        "io.kubernetes", "kubernetes.io", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid", "k8s.io",
        "pod-template-generation", "pod-template-hash", "controller-revision-hash", "controller-uid", "annotation",
        "etcd_node", "topology.kubernetes.io",
    ]

    /// Keys that only the agent may set; a pod's own labels of that name are dropped.
    private static let reservedKeys: Set<String> = [CiliumKey.namespace, CiliumKey.cluster, CiliumKey.serviceAccount]

    /// Whether a pod's own label of this key is part of the identity.
    package static func keeps(_ key: String) -> Bool {
        if reservedKeys.contains(key) || key.hasPrefix(CiliumKey.namespaceLabelPrefix) { return false }
        if included.contains(where: key.hasPrefix) { return true }
        if key.contains("beta.kubernetes.io") { return false }
        return !excluded.contains(where: key.hasPrefix)
    }
}
