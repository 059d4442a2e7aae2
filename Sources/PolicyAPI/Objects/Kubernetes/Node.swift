public import NetTypes

/// A v1 Node: its labels and addresses.
public struct Node: Hashable, Sendable {
    /// Name and labels.
    public var metadata: ObjectMeta
    /// `status.addresses` that are IP addresses.
    public var addresses: [IPAddress]

    /// A node.
    public init(metadata: ObjectMeta, addresses: [IPAddress]) {
        self.metadata = metadata
        self.addresses = addresses
    }
}
