public import PolicyAPI

/// A Service by namespace and name.
public struct ServiceName: Hashable, Sendable {
    /// Its namespace.
    public var namespace: String
    /// Its name.
    public var name: String

    /// A Service's name.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The name of a Service.
    public init(_ service: Service) {
        self.init(namespace: service.metadata.namespace, name: service.metadata.name)
    }
}

extension ServiceName: Comparable, CustomStringConvertible {
    /// `namespace/name`.
    public var description: String { "\(namespace)/\(name)" }

    /// By namespace, name.
    public static func < (left: ServiceName, right: ServiceName) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
