import PolicyAPI

/// The kinds of objects that the agent follows.
public enum ObjectKind: String, Hashable, Sendable, CaseIterable {
    /// v1 Namespace.
    case namespace = "Namespace"
    /// v1 Pod.
    case pod = "Pod"
    /// v1 Node.
    case node = "Node"
    /// v1 Service.
    case service = "Service"
    /// discovery.k8s.io/v1 EndpointSlice.
    case endpointSlice = "EndpointSlice"
    /// CiliumCIDRGroup.
    case cidrGroup = "CiliumCIDRGroup"
    /// networking.k8s.io/v1 NetworkPolicy.
    case networkPolicy = "NetworkPolicy"
    /// CiliumNetworkPolicy.
    case ciliumNetworkPolicy = "CiliumNetworkPolicy"
    /// CiliumClusterwideNetworkPolicy.
    case ciliumClusterwideNetworkPolicy = "CiliumClusterwideNetworkPolicy"
    /// ClusterNetworkPolicy.
    case clusterNetworkPolicy = "ClusterNetworkPolicy"
    /// AdminNetworkPolicy.
    case adminNetworkPolicy = "AdminNetworkPolicy"
    /// BaselineAdminNetworkPolicy.
    case baselineAdminNetworkPolicy = "BaselineAdminNetworkPolicy"

    /// Whether its objects decide about traffic: leaving one out may open a pod.
    public var isPolicy: Bool {
        switch self {
        case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup: false
        case .networkPolicy, .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy, .clusterNetworkPolicy,
            .adminNetworkPolicy, .baselineAdminNetworkPolicy:
            true
        }
    }

    /// Whether its objects are in no namespace.
    public var isClusterScoped: Bool {
        switch self {
        case .pod, .service, .endpointSlice, .networkPolicy, .ciliumNetworkPolicy: false
        case .namespace, .node, .cidrGroup, .ciliumClusterwideNetworkPolicy, .clusterNetworkPolicy,
            .adminNetworkPolicy, .baselineAdminNetworkPolicy:
            true
        }
    }
}
