public import PolicyAPI

/// One decoded, valid object of a manifest file.
public enum ManifestObject: Hashable, Sendable {
    /// A v1 Namespace.
    case namespace(Namespace)
    /// A v1 Pod.
    case pod(Pod)
    /// A v1 Node.
    case node(Node)
    /// A v1 Service.
    case service(Service)
    /// A discovery.k8s.io/v1 EndpointSlice.
    case endpointSlice(EndpointSlice)
    /// A CiliumCIDRGroup.
    case cidrGroup(CIDRGroup)
    /// A networking.k8s.io/v1 NetworkPolicy.
    case networkPolicy(NetworkPolicy)
    /// A ClusterNetworkPolicy, AdminNetworkPolicy or BaselineAdminNetworkPolicy.
    case clusterPolicy(ClusterPolicy)
    /// A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.
    case ciliumPolicy(CiliumPolicy)

    /// The object's metadata.
    public var metadata: ObjectMeta {
        switch self {
        case .namespace(let object): object.metadata
        case .pod(let object): object.metadata
        case .node(let object): object.metadata
        case .service(let object): object.metadata
        case .endpointSlice(let object): object.metadata
        case .cidrGroup(let object): object.metadata
        case .networkPolicy(let object): object.metadata
        case .clusterPolicy(let object): object.metadata
        case .ciliumPolicy(let object): object.metadata
        }
    }

    /// The object's kind.
    public var kind: String {
        switch self {
        case .namespace: "Namespace"
        case .pod: "Pod"
        case .node: "Node"
        case .service: "Service"
        case .endpointSlice: "EndpointSlice"
        case .cidrGroup: "CiliumCIDRGroup"
        case .networkPolicy: "NetworkPolicy"
        case .clusterPolicy(let object): object.kind.rawValue
        case .ciliumPolicy(let object): object.kind
        }
    }

    /// The object's key.
    public var key: ObjectKey { ObjectKey(kind: kind, namespace: metadata.namespace, name: metadata.name) }

    /// All objects of a decoded set, kind by kind.
    public static func all(of objects: ClusterObjects) -> [ManifestObject] {
        objects.namespaces.map(ManifestObject.namespace) + objects.pods.map(ManifestObject.pod)
            + objects.nodes.map(ManifestObject.node) + objects.services.map(ManifestObject.service)
            + objects.endpointSlices.map(ManifestObject.endpointSlice)
            + objects.cidrGroups.map(ManifestObject.cidrGroup)
            + objects.networkPolicies.map(ManifestObject.networkPolicy)
            + objects.clusterPolicies.map(ManifestObject.clusterPolicy)
            + objects.ciliumPolicies.map(ManifestObject.ciliumPolicy)
    }
}

extension ClusterObjects {
    /// Adds one object.
    mutating func append(_ object: ManifestObject) {
        switch object {
        case .namespace(let object): namespaces.append(object)
        case .pod(let object): pods.append(object)
        case .node(let object): nodes.append(object)
        case .service(let object): services.append(object)
        case .endpointSlice(let object): endpointSlices.append(object)
        case .cidrGroup(let object): cidrGroups.append(object)
        case .networkPolicy(let object): networkPolicies.append(object)
        case .clusterPolicy(let object): clusterPolicies.append(object)
        case .ciliumPolicy(let object): ciliumPolicies.append(object)
        }
    }
}
