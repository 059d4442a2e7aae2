/// A v1 Namespace. `kubernetes.io/metadata.name` is always among its labels, as the API server sees to.
public struct Namespace: Hashable, Sendable {
    /// Name and labels.
    public var metadata: ObjectMeta

    /// A namespace; adds the label that the control plane adds.
    public init(metadata: ObjectMeta) {
        self.metadata = metadata
        self.metadata.labels["kubernetes.io/metadata.name"] = metadata.name
    }
}
