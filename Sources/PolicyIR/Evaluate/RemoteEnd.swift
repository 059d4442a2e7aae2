public import NetTypes
public import PolicyAPI

/// Everything a policy can see of the other end of a flow.
public struct RemoteEnd: Hashable, Sendable {
    /// What the other end is.
    public enum Kind: Hashable, Sendable {
        /// A pod on the pod network.
        case pod(Pod)
        /// The node that the subject runs on, its hostNetwork pods included.
        case host
        /// Another node, its hostNetwork pods included.
        case remoteNode
        /// Everything else.
        case outside
        /// An address that several pods, or a pod and a node, claim: nobody knows who it is.
        case contested
    }

    /// What it is.
    public var kind: Kind
    /// The address it uses in the flow; `nil` when nobody says which.
    public var address: IPAddress?
    /// The labels of a pod's namespace, `kubernetes.io/metadata.name` among them; empty for what is no pod.
    public var namespaceLabels: [String: String]
    /// The labels by which Cilium policies see it.
    public var labels: CiliumLabels
    /// The labels by which peers that select nodes see it; `nil` for what is no node.
    public var nodeLabels: CiliumLabels?
    /// The names that DNS has given its address for; empty unless it is outside.
    public var names: Set<String>

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

    /// The pod, if it is one.
    public var pod: Pod? {
        if case .pod(let pod) = kind { pod } else { nil }
    }

    /// The numbers under which a container port of this name and protocol listens on the end; only pods have any.
    public func ports(named name: String, _ protocol: L4Protocol) -> [UInt16] {
        pod?.ports(named: name, `protocol`) ?? []
    }
}

extension Pod {
    /// The numbers under which a container port of this name and protocol listens.
    public func ports(named name: String, _ protocol: L4Protocol) -> [UInt16] {
        ports.filter { $0.name == name && $0.protocol == `protocol` }.map(\.port)
    }
}
