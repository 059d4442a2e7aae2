/// A v1 Namespace. Its labels always include `kubernetes.io/metadata.name`, which the API server sets.
public struct Namespace: Hashable, Sendable {
    /// Name and labels.
    public var metadata: ObjectMeta
    /// Whether it is being deleted (`metadata.deletionTimestamp`), with all that is in it.
    public var isTerminating = false

    /// A namespace; adds the label that the control plane adds.
    public init(metadata: ObjectMeta) {
        self.metadata = metadata
        self.metadata.labels["kubernetes.io/metadata.name"] = metadata.name
    }
}
