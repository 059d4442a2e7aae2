public import PolicyAPI

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
    /// The value of `cluster` of every endpoint of this cluster.
    public static let localCluster = "default"
}

/// The labels by which Cilium policies see an endpoint: those of source `k8s` for a pod, those of source `reserved` for
/// everything else (docs/spec/cilium-network-policy.md 4.3, 5.3); peers that select nodes, and selectors with a `reserved:` key, also
/// see those of source `node`.
public struct CiliumLabels: Hashable, Sendable {
    /// Labels of source `k8s`: the pod's own after the identity filter, its namespace's under
    /// `CiliumKey.namespaceLabelPrefix`, its namespace's name, cluster and service account. Empty unless the end is a pod.
    public let kubernetes: [String: String]
    /// Keys of the labels of source `reserved` (`host`, `world`, ...); their value is always the empty string.
    public let reserved: Set<String>
    /// Labels of source `node`: a Node object's own, all of them. Empty except where nodes are selected.
    public let node: [String: String]

    /// The identity labels of a pod.
    public init(pod: Pod, namespaceLabels: [String: String], cluster: String = CiliumKey.localCluster) {
        var labels = pod.metadata.labels.filter { IdentityLabelFilter.keeps($0.key) }
        for (key, value) in namespaceLabels { labels[CiliumKey.namespaceLabelPrefix + key] = value }
        labels[CiliumKey.namespace] = pod.metadata.namespace
        labels[CiliumKey.cluster] = cluster
        labels[CiliumKey.serviceAccount] = pod.serviceAccount
        kubernetes = labels
        reserved = []
        node = [:]
    }

    /// The labels of an end that is not a pod.
    public init(reserved: Set<String>) {
        kubernetes = [:]
        self.reserved = reserved
        node = [:]
    }

    /// The labels by which host policies select a node: its own after the identity filter, as those of the host endpoint
    /// (docs/spec/cilium-network-policy.md 16).
    public init(host labels: [String: String], reserved: Set<String>) {
        kubernetes = labels.filter { IdentityLabelFilter.keeps($0.key) }
        self.reserved = reserved
        node = [:]
    }

    /// The labels by which peers that select nodes see a node: "remote node identities carry `node:<label>` labels and the
    /// cluster label" (docs/spec/cilium-network-policy.md 4.4).
    public init(node labels: [String: String], reserved: Set<String>, cluster: String = CiliumKey.localCluster) {
        kubernetes = [CiliumKey.cluster: cluster]
        self.reserved = reserved
        node = labels
    }

    /// The value of a label, `nil` when absent. The source `any` matches all sources.
    public func value(source: String, key: String) -> String? {
        switch source {
        case "k8s": kubernetes[key]
        case "node": node[key]
        case "reserved": reserved.contains(key) ? "" : nil
        case "any": kubernetes[key] ?? node[key] ?? (reserved.contains(key) ? "" : nil)
        default: nil
        }
    }
}

extension LabelSelector {
    /// Whether Cilium labels satisfy every condition: a condition of source `any` applies to labels of every source, one of
    /// another source to labels of that source only.
    public func matches(_ labels: CiliumLabels) -> Bool {
        requirements.allSatisfy { $0.accepts(labels.value(source: $0.source, key: $0.key)) }
    }

    /// Whether a condition is on a `reserved:` label: such a selector of endpoints is taken verbatim and can match nodes
    /// (docs/spec/cilium-network-policy.md 4.4).
    package var mentionsReserved: Bool { requirements.contains { $0.source == "reserved" } }
}

extension LabelRequirement {
    /// Whether the condition is on this key of pod labels (source `k8s`, or any source).
    package func isAbout(_ key: String) -> Bool {
        self.key == key && (source == "k8s" || source == "any")
    }
}
