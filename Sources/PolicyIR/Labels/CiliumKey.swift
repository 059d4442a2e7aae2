/// Label keys and prefixes with a meaning of their own in Cilium's label model (docs/spec/cilium-network-policy.md 4).
public enum CiliumKey {
    /// The name of a pod's namespace.
    public static let namespace = "io.kubernetes.pod.namespace"
    /// Before a namespace's label: `io.cilium.k8s.namespace.labels.team`.
    public static let namespaceLabelPrefix = "io.cilium.k8s.namespace.labels."
    /// The name of the cluster.
    public static let cluster = "io.cilium.k8s.policy.cluster"
    /// A pod's service account.
    public static let serviceAccount = "io.cilium.k8s.policy.serviceaccount"
    /// The name every endpoint of this cluster carries under `cluster`.
    public static let localCluster = "default"
}
