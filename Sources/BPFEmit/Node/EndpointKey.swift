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

extension EndpointKey: Comparable, CustomStringConvertible {
    /// By namespace, name, UID.
    public static func < (left: EndpointKey, right: EndpointKey) -> Bool {
        (left.namespace, left.name, left.uid) < (right.namespace, right.name, right.uid)
    }

    /// `namespace/name`.
    public var description: String { "\(namespace)/\(name)" }
}

extension EndpointImage {
    /// The endpoint's key.
    public var key: EndpointKey { EndpointKey(namespace: namespace, name: name, uid: uid) }
}
