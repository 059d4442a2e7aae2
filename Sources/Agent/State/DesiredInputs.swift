public import BPFEmit
public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Everything the desired state of the node is made from, at one moment. The desired state is a function of this value.
public struct DesiredInputs: Sendable {
    /// Counts changes of the inputs.
    public var generation: UInt64
    /// The objects in force.
    public var objects: ClusterObjects
    /// Policies in force in place of refused ones.
    public var isolating: [LoweredPolicy]
    /// The pods to enforce on, with their interfaces.
    public var endpoints: EndpointMatch
    /// The host side of each endpoint's veth, by pod.
    public var interfaces: [EndpointKey: UInt32]
    /// Addresses of the node itself.
    public var nodeAddresses: [IPAddress]
    /// Name of the node.
    public var node: String
}
