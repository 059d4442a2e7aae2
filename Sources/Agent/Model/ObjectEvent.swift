public import PolicyAPI
public import PolicyIR

/// What happened to an object at its source.
public enum ObjectEvent: Hashable, Sendable {
    /// There is this object, in the place of the one of its key.
    case upsert(ClusterObject, origin: ObjectOrigin)
    /// There is no object of this key any more.
    case delete(ObjectKey)
    /// There is an object of this key that cannot be used. What was accepted under the key before is not gone.
    case refused(RefusedObject)
    /// Every object of this kind that the source had at first has been named.
    case synced(ObjectKind)
}

/// Where an object comes from.
public enum ObjectOrigin: Hashable, Sendable {
    /// Written in a manifest; the line is 0 where only the file is known.
    case manifest(SourceLocation)
    /// Sent by an API server, in this version.
    case server(ObjectVersion)
}

extension ObjectOrigin: CustomStringConvertible {
    /// `policy.yaml:12:5`, or `resource version 4711`.
    public var description: String {
        switch self {
        case .manifest(let location): "\(location)"
        case .server(let version): "resource version \(version.resourceVersion)"
        }
    }
}

/// An object that was not accepted.
public struct RefusedObject: Hashable, Sendable {
    /// Which object, as far as it could be read.
    public var key: ObjectKey
    /// Where it is from.
    public var origin: ObjectOrigin
    /// What is wrong with it.
    public var diagnostics: [Diagnostic]
    /// For a policy whose selector could be read: policies that isolate the pods it selects in its directions, and allow
    /// nothing.
    public var isolating: [LoweredPolicy]
    /// For a Service, EndpointSlice or CiliumCIDRGroup: its name, and labels if they could be read. Policies that deny by it are refused.
    public var unknown: ClusterObject?
    /// Whether it is defined several times, and not the same each time: then none of the definitions is in force, nor an earlier version.
    public var isContradiction = false

    /// Whether it contradicts another definition of the object. Of a Namespace that a kustomization changes, for which nothing is closed,
    /// nobody knows more than its name.
    var closes: Bool { key.objectKind != .namespace || !isolating.isEmpty }

    /// A refused object; without `unknown` nothing but the key of an object that policies refer to is known.
    public init(
        key: ObjectKey, origin: ObjectOrigin, diagnostics: [Diagnostic], isolating: [LoweredPolicy],
        unknown: ClusterObject? = nil
    ) {
        self.key = key
        self.origin = origin
        self.diagnostics = diagnostics
        self.isolating = isolating
        self.unknown = unknown ?? ClusterObject(unknown: key)
    }
}
