/// Which endpoints a policy selects.
public enum PolicySubject: Hashable, Sendable {
    /// Pods of some namespaces by their Kubernetes labels (NetworkPolicy: of one; ClusterNetworkPolicy: by label). Never
    /// hostNetwork pods.
    case pods(NamespaceScope, LabelSelector)
    /// Endpoints by their Cilium identity labels, scope written out; never the host.
    case endpoints(LabelSelector)
    /// Nodes, by the labels of their host endpoint: a host policy. Evaluated, not yet enforced: lowering for the kernel
    /// refuses it (`PolicyLowering.Purpose`).
    case nodes(LabelSelector)
}

/// Which namespaces a peer or a subject ranges over.
public enum NamespaceScope: Hashable, Sendable {
    /// The one of this name.
    case named(String)
    /// Those whose labels match.
    case matching(LabelSelector)
}
