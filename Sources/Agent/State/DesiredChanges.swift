public import BPFEmit

/// What a reconciliation is to bring about: how the desired state differs from the one handed out before, and where it is
/// to be enforced.
///
/// The changes of all values handed out, one after the other, make up the desired state; each must be taken over once.
public struct DesiredChanges: Sendable {
    /// Counts changes of the inputs.
    public var generation: UInt64
    /// Name of the node.
    public var node: String
    /// What is in force otherwise than before.
    public var changes: [ObjectChange]
    /// The host side of each endpoint's veth, by pod.
    public var interfaces: [EndpointKey: UInt32]

    /// Changes.
    public init(generation: UInt64, node: String, changes: [ObjectChange], interfaces: [EndpointKey: UInt32]) {
        self.generation = generation
        self.node = node
        self.changes = changes
        self.interfaces = interfaces
    }
}
