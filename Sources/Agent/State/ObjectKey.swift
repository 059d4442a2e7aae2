import PolicyAPI

/// What names an object across files and versions.
public struct ObjectKey: Hashable, Sendable {
    /// The kind, for example `NetworkPolicy`.
    public var kind: String
    /// The namespace, empty for cluster-scoped kinds.
    public var namespace: String
    /// The name.
    public var name: String

    /// A key.
    public init(kind: String, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Whether the object decides about traffic: leaving one out may open a pod.
    public var isPolicy: Bool {
        switch kind {
        case "NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy": true
        default: ClusterPolicy.Kind(rawValue: kind) != nil
        }
    }
}

extension ObjectKey: Comparable, CustomStringConvertible {
    /// `NetworkPolicy shop/allow-web`.
    public var description: String { namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)" }

    /// By kind, namespace, name.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
    }
}
