public import PolicyAPI

/// What names an object across sources and versions. Of a refused object the kind may be one that nobody knows.
public typealias ObjectKey = ClusterObject.Key

extension ObjectKey {
    /// The kind, if the agent follows it.
    public var objectKind: ObjectKind? { ObjectKind(rawValue: kind) }

    /// Whether the object decides about traffic.
    public var isPolicy: Bool { objectKind?.isPolicy ?? false }

    /// `NetworkPolicy shop/allow-web`.
    public var text: String { namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)" }
}
