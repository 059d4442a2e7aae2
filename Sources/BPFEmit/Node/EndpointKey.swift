/// Names a pod for as long as it lives: one that is made again under the same name has another UID.
public struct EndpointKey: Hashable, Sendable {
    /// Namespace.
    public var namespace: String
    /// Pod name.
    public var name: String
    /// Pod UID, or empty.
    public var uid: String

    /// A key.
    public init(namespace: String, name: String, uid: String = "") {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }
}

extension EndpointKey {
    /// The node itself. No pod has this key: a pod is in a namespace.
    public static let host = EndpointKey(namespace: "", name: "host")

    /// Whether it is the node itself.
    public var isHost: Bool { namespace.isEmpty }
}

extension EndpointKey: Comparable, CustomStringConvertible {
    /// By namespace, name, UID.
    public static func < (left: EndpointKey, right: EndpointKey) -> Bool {
        (left.namespace, left.name, left.uid) < (right.namespace, right.name, right.uid)
    }

    /// `namespace/name`, or `host`.
    public var description: String { isHost ? name : "\(namespace)/\(name)" }
}

extension EndpointImage {
    /// The endpoint's key.
    public var key: EndpointKey { EndpointKey(namespace: namespace, name: name, uid: uid) }
}
