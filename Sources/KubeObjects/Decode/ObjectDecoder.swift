public import Agent
public import KubeClient
public import PolicyAPI

/// Makes objects of what an API server sends.
public protocol ObjectDecoder: Sendable {
    /// Decodes one object. Never fails: what cannot be used is refused, with the reasons.
    ///
    /// `bytes` are one JSON object of this kind, in the apiVersion of the place that it comes from; it may say neither, as
    /// items of built-in lists do. `head` is what was read of it already.
    func decode(
        _ kind: ObjectKind, _ bytes: ArraySlice<UInt8>, head: ObjectHead, apiVersion: String
    ) -> DecodedObject
}

/// What became of one object's JSON.
public enum DecodedObject: Hashable, Sendable {
    /// It can be used; `warnings` say what is odd about it.
    case good(ClusterObject, warnings: [Diagnostic])
    /// It cannot be used.
    case refused(RefusedObject)
}

extension ObjectKind {
    /// The key of an object of the kind.
    func key(_ head: ObjectHead) -> ObjectKey {
        ObjectKey(kind: rawValue, namespace: isClusterScoped ? "" : head.namespace, name: head.name)
    }
}

extension ObjectHead {
    /// The object's version.
    var version: ObjectVersion {
        ObjectVersion(uid: uid, generation: generation, resourceVersion: resourceVersion)
    }

    /// The same; its UID is the one that the object has: not another 80 bytes for each.
    func version(of object: ClusterObject) -> ObjectVersion {
        let known = object.metadata.uid
        var version = version
        if known == uid { version.uid = known }
        return version
    }
}
