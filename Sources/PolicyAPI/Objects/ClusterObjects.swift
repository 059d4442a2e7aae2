public import NetTypes

/// Every object that policies are made of or speak about, decoded and valid: the one input of lowering, evaluation and
/// compilation. Order is the order of the input; nothing downstream depends on it.
public struct ClusterObjects: Sendable {
    /// Namespaces. A namespace that pods or policies name but nobody declares has only its name label.
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
    /// What DNS has answered: lower-case names without final dot, to addresses. Feeds `toFQDNs`.
    public var names: [String: [IPAddress]] = [:]

    /// No objects.
    public init() {}
}
