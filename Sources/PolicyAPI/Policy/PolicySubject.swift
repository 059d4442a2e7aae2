/// Which endpoints a policy selects.
public enum PolicySubject: Hashable, Sendable {
    /// Pods of some namespaces by their Kubernetes labels (NetworkPolicy: of one; ClusterNetworkPolicy: by label). Never
    /// hostNetwork pods.
    case pods(NamespaceScope, LabelSelector)
    /// Endpoints by their Cilium identity labels, with explicit scope; never the host.
    case endpoints(LabelSelector)
    /// Nodes, by the labels of their host endpoint: a host policy.
    case nodes(LabelSelector)
}

/// The namespaces of a peer or a subject.
public enum NamespaceScope: Hashable, Sendable {
    /// The namespace of this name.
    case named(String)
    /// Namespaces whose labels match.
    case matching(LabelSelector)
}
