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
    /// The host sides of each endpoint's veths, by pod; stubs' too.
    public var links: [EndpointKey: [UInt32]]
    /// The interfaces that those are enslaved to, directly or not.
    public var masters: [UInt32: [UInt32]]
    /// Interfaces behind which somebody is whom policies cannot speak of.
    public var stubs: [DenyStub]
    /// How it stands with the node's own policies in the kernel; `nil`: nobody has looked.
    public var host: HostStanding?

    /// Changes.
    public init(
        generation: UInt64, node: String, changes: [ObjectChange], links: [EndpointKey: [UInt32]],
        masters: [UInt32: [UInt32]] = [:], stubs: [DenyStub] = []
    ) {
        self.generation = generation
        self.node = node
        self.changes = changes
        self.links = links
        self.masters = masters
        self.stubs = stubs
    }
}
