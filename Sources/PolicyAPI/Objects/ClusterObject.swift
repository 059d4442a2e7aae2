/// One decoded, valid object. A copy of it is a reference: each object is in several tables, and the largest kind needs hundreds of
/// bytes.
public indirect enum ClusterObject: Hashable, Sendable {
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

    /// What names an object across versions.
    public struct Key: Hashable, Comparable, Sendable {
        /// The kind, for example `NetworkPolicy`.
        public var kind: String
        /// The namespace, empty for cluster-scoped kinds.
        public var namespace: String
        /// The name.
        public var name: String

        /// A key.
        public init(kind: String, namespace: String, name: String) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }

        /// The key of the object that a rule is written in.
        public init(_ origin: RuleOrigin) {
            self.init(kind: origin.kind, namespace: origin.namespace, name: origin.name)
        }

        /// By kind, namespace, name.
        public static func < (left: Key, right: Key) -> Bool {
            (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
        }
    }

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

    /// The object's kind, as manifests write it.
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
    public var key: Key { Key(kind: kind, namespace: metadata.namespace, name: metadata.name) }
}
