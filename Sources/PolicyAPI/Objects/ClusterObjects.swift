public import NetTypes

/// All policies and the objects they refer to, decoded and valid: the input of lowering, evaluation and compilation. In
/// input order; nothing downstream depends on it.
public struct ClusterObjects: Sendable {
    /// Namespaces. One that is used but not declared has only its name label.
    public var namespaces: [Namespace] = []
    /// Pods of all nodes.
    public var pods: [Pod] = []
    /// Nodes.
    public var nodes: [Node] = []
    /// Services.
    public var services: [Service] = []
    /// Addresses of services.
    public var endpointSlices: [EndpointSlice] = []
    /// NetworkPolicies.
    public var networkPolicies: [NetworkPolicy] = []
    /// CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies.
    public var ciliumPolicies: [CiliumPolicy] = []
    /// CiliumCIDRGroups.
    public var cidrGroups: [CIDRGroup] = []
    /// ClusterNetworkPolicies, AdminNetworkPolicies and BaselineAdminNetworkPolicies.
    public var clusterPolicies: [ClusterPolicy] = []
    /// DNS answers: lower-case names without a final dot, to addresses. Used by `toFQDNs`.
    public var names: [String: [IPAddress]] = [:]
    /// The networks of the local node's interfaces, without host bits. The node answers at their broadcast and subnet-router
    /// anycast addresses; empty where nobody knows.
    public var localNetworks: [IPPrefix] = []

    /// No objects.
    public init() {}
}
