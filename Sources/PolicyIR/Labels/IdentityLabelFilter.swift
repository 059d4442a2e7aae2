/// Which of a pod's own labels are part of its Cilium identity (docs/spec/cilium-network-policy.md 4.3). A Cilium selector that
/// names another label never matches.
package enum IdentityLabelFilter {
    /// Key prefixes that are included, regardless of the exclusions.
    private static let included = ["app.kubernetes.io"]

    /// Key prefixes that are excluded: labels that controllers set per pod would give every pod its own identity.
    private static let excluded = [
        "io.kubernetes", "kubernetes.io", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid", "k8s.io",
        "pod-template-generation", "pod-template-hash", "controller-revision-hash", "controller-uid", "annotation",
        "etcd_node", "topology.kubernetes.io",
    ]

    /// Keys that only the agent may set; a pod's own labels of these keys are dropped.
    private static let reservedKeys: Set<String> = [CiliumKey.namespace, CiliumKey.cluster, CiliumKey.serviceAccount]

    /// Whether a pod's own label of this key is part of the identity.
    package static func keeps(_ key: String) -> Bool {
        if reservedKeys.contains(key) || key.hasPrefix(CiliumKey.namespaceLabelPrefix) { return false }
        if included.contains(where: key.hasPrefix) { return true }
        if key.contains("beta.kubernetes.io") { return false }
        return !excluded.contains(where: key.hasPrefix)
    }
}
