public import NetTypes
public import PolicyAPI

/// Everything that policies can see of the remote end of a flow.
public struct RemoteEnd: Hashable, Sendable {
    /// The kind of end.
    public enum Kind: Hashable, Sendable {
        /// A pod on the pod network.
        case pod(Pod)
        /// The node that the subject runs on, its hostNetwork pods included.
        case host
        /// Another node, its hostNetwork pods included.
        case remoteNode
        /// Everything else.
        case outside
        /// An address that several pods, or a pod and a node, claim, or of which nobody says whose it is (link-local, IPv6).
        case contested
    }

    /// The kind of end.
    public var kind: Kind
    /// Its address in the flow; `nil` when unknown.
    public var address: IPAddress?
    /// The labels of a pod's namespace, including `kubernetes.io/metadata.name`; empty unless it is a pod.
    public var namespaceLabels: [String: String]
    /// The labels by which Cilium policies see it.
    public var labels: CiliumLabels
    /// The labels by which peers that select nodes see it, and of another node also selectors of endpoints with a `reserved:` key;
    /// `nil` unless it is a node.
    public var nodeLabels: CiliumLabels?
    /// The names whose DNS answers contained its address; empty unless it is outside.
    public var names: Set<String>
    /// The ends that answer at the same address besides: for a pod that sends there, all of them must be allowed. At most the
    /// node, at broadcast, anycast and group addresses, or a contested end, at link-local addresses of IPv6.
    public var others: [RemoteEnd] = []
    /// Whether it is somebody behind the node's address: the node has forwarded the packet and put its own address in the place
    /// of the sender's.
    public var isMasqueraded = false

    /// An end.
    public init(
        kind: Kind, address: IPAddress?, namespaceLabels: [String: String] = [:], labels: CiliumLabels,
        nodeLabels: CiliumLabels? = nil, names: Set<String> = []
    ) {
        self.kind = kind
        self.address = address
        self.namespaceLabels = namespaceLabels
        self.labels = labels
        self.nodeLabels = nodeLabels
        self.names = names
    }

    /// Whether it is contested because nobody says whose a link-local address is.
    public var isSomebodyOnLink: Bool { kind == .contested && address?.isLinkLocal == true }

    /// The pod, if it is one.
    public var pod: Pod? {
        if case .pod(let pod) = kind { pod } else { nil }
    }

    /// The numbers of the container ports of this name and protocol; only pods have any.
    public func ports(named name: String, _ protocol: L4Protocol) -> [UInt16] {
        pod?.ports(named: name, `protocol`) ?? []
    }
}

extension Pod {
    /// The numbers of the container ports of this name and protocol.
    public func ports(named name: String, _ protocol: L4Protocol) -> [UInt16] {
        ports.filter { $0.name == name && $0.protocol == `protocol` }.map(\.port)
    }
}
