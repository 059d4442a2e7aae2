public import BPFEmit
public import NetTypes
public import PolicyAPI

/// Which pods are behind which interfaces of this node, at one moment.
public struct BindingView: Hashable, Sendable {
    /// A pod on whose interfaces policies are enforced. A pod with an interface in a second network is two of them.
    public struct Endpoint: Hashable, Sendable {
        /// What the pod is compiled as: labels and addresses in force. Its name is the object's, unless that name is taken:
        /// `name@net1` in a second network, `name@UID` beside a new pod of the same name.
        public var pod: Pod
        /// Its interfaces on the host, by number: all of them are enforced.
        public var links: [HostLink]
        /// The network namespace as people call it.
        public var netns: String
        /// The best evidence.
        public var rank: EvidenceRank
        /// Whether the Pod object is still what it is compiled as; else it is gone, finished, or on the host's network.
        public var isCurrent: Bool

        /// The endpoint as the image names it.
        public var key: EndpointKey {
            EndpointKey(namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid)
        }
    }

    /// An interface that lets the node reach what is behind it, and nothing else pass.
    public struct Stub: Hashable, Sendable {
        /// The endpoint as the image names it.
        public var key: EndpointKey
        /// What may be behind it: it may answer the node from there. Never an address that a live pod claims.
        public var addresses: [IPAddress]
        /// The interface.
        public var link: HostLink
        /// The network namespace as people call it.
        public var netns: String
        /// Which pod it is, as far as known.
        public var reference: PodReference
        /// Whether evidence says that it is a pod's.
        public var isPod: Bool
        /// The evidence that made it one.
        public var rank: EvidenceRank
    }

    /// An interface on which nothing is enforced.
    public struct Foreign: Hashable, Sendable {
        /// The interface.
        public var link: HostLink
        /// The network namespace as people call it.
        public var netns: String
        /// Whether that is mounted in the folder of namespaces.
        public var isMounted: Bool
        /// Whether evidence says that it is a pod's.
        public var isPod: Bool
    }

    /// Enforced pods, by namespace and name.
    public var endpoints: [Endpoint] = []
    /// Deny stubs, by interface number.
    public var stubs: [Stub] = []
    /// Local pods without an interface, by namespace and name.
    public var waiting: [Pod] = []
    /// Interfaces left alone, by number.
    public var foreign: [Foreign] = []
    /// What the operator should know, sorted.
    public var conditions: [Condition] = []

    /// How many interfaces nobody is known behind who should be: isolated ones, and those left alone that are in the folder
    /// of namespaces or a pod's.
    public var strangers: Int { stubs.count + foreign.count { $0.isMounted || $0.isPod } }

    /// The interfaces to attach to, by endpoint of the image.
    public var links: [EndpointKey: [UInt32]] {
        var found: [EndpointKey: [UInt32]] = [:]
        for endpoint in endpoints { found[endpoint.key] = endpoint.links.map(\.ifindex) }
        for stub in stubs { found[stub.key] = [stub.link.ifindex] }
        return found
    }
}

/// What one event changed.
public struct BindingChange: Hashable, Sendable {
    /// A pod as it is to be compiled from now on.
    public enum PodChange: Hashable, Sendable {
        /// It came, or is another value now.
        case upsert(Pod)
        /// It is no more.
        case remove(namespace: String, name: String)

        /// The pod as it is now; `nil` when there is none.
        var pod: Pod? { if case .upsert(let pod) = self { pod } else { nil } }

        /// `namespace/name`.
        var qualifiedName: String {
            switch self {
            case .upsert(let pod): pod.qualifiedName
            case .remove(let namespace, let name): "\(namespace)/\(name)"
            }
        }
    }

    /// The pods that are to be compiled otherwise, by namespace and name. What policies see is the Pod objects with these
    /// changes: pods that are bound keep labels and addresses that the objects no longer tell.
    public var pods: [PodChange] = []
    /// Whether `BindingTable.view` is another one.
    public var changesView = false
    /// Whether the kernel is to be changed by it, apart from `pods`: other interfaces, other stubs.
    public var changesEndpoints = false
    /// Whether `BindingTable.records` are others: they should be written down.
    public var changesRecords = false

    /// Whether nothing changed.
    public var isEmpty: Bool { pods.isEmpty && !changesView && !changesRecords }
}
