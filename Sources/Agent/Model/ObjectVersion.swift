/// A version of an object of an API server.
public struct ObjectVersion: Hashable, Sendable {
    /// `metadata.uid`: another one is another object, though its name be the same. Empty when unknown.
    public var uid: String
    /// `metadata.generation`: raised with each change of the specification; 0 when the object has none.
    public var generation: Int64
    /// `metadata.resourceVersion`: another one with each write, of the status too.
    public var resourceVersion: String

    /// A version.
    public init(uid: String = "", generation: Int64 = 0, resourceVersion: String) {
        self.uid = uid
        self.generation = generation
        self.resourceVersion = resourceVersion
    }

    /// Whether whoever has read this version knows what `other` specifies, or something newer.
    public func covers(_ other: ObjectVersion) -> Bool {
        if resourceVersion == other.resourceVersion { return true }
        return !uid.isEmpty && uid == other.uid && other.generation > 0 && generation >= other.generation
    }
}

/// What a source's peer has of one object at this moment.
public enum LatestObject: Hashable, Sendable {
    /// A reading of the source that begins now tells.
    case asRead
    /// This version.
    case version(ObjectVersion)
    /// There is none.
    case absent
    /// It cannot be asked, and why.
    case unknown(String)
}
