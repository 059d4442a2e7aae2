/// The part of `metadata` that policies, output and diagnostics use.
public struct ObjectMeta: Hashable, Sendable {
    /// `metadata.name`.
    public var name: String
    /// `metadata.namespace`; empty for cluster-scoped kinds, `default` when a namespaced manifest names none.
    public var namespace: String
    /// `metadata.labels`.
    public var labels: [String: String]
    /// `metadata.annotations`.
    public var annotations: [String: String]
    /// `metadata.uid`, empty when the manifest has none.
    public var uid: String
    /// Where the object begins.
    public var location: SourceLocation?

    /// Metadata of an object.
    public init(
        name: String, namespace: String = "", labels: [String: String] = [:], annotations: [String: String] = [:],
        uid: String = "", location: SourceLocation? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.uid = uid
        self.location = location
    }
}
