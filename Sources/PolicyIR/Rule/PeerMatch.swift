public import NetTypes
public import PolicyAPI

/// The remote ends that a rule matches.
public enum PeerMatch: Hashable, Sendable {
    /// Every remote end, nodes and the outside included.
    case everyone
    /// Remote ends that at least one peer matches; an empty list matches none.
    case anyOf([Peer])
}

/// One alternative of a `PeerMatch`, with explicit scope (namespace, cluster).
public enum Peer: Hashable, Sendable {
    /// Pods by their Kubernetes labels, all of them (NetworkPolicy). Never nodes or hostNetwork pods.
    case pods(NamespaceScope, LabelSelector)
    /// Endpoints by their Cilium identity labels (spec 4.3), including reserved ones if the selector mentions them: then other nodes
    /// by their `node:` labels and the cluster's too.
    case endpoints(LabelSelector)
    /// Nodes by their labels, hostNetwork pods' addresses included; including the local node, unless the selector requires
    /// `reserved:remote-node`. A key of source `node` or `any` is a label of the Node object. Never pods or the outside.
    case nodes(LabelSelector)
    /// An entity.
    case entity(Entity)
    /// Addresses inside a prefix and outside its exceptions.
    case addresses(IPPrefix, except: [IPPrefix], AddressSpace)
    /// Addresses outside the cluster in DNS answers for names that the selector matches.
    case names(FQDNSelector)
}

/// The addresses that a prefix can match.
public enum AddressSpace: Hashable, Sendable {
    /// NetworkPolicy's ipBlock: any address, including those of pods and of all nodes.
    case everywhere
    /// Cilium's CIDR: only addresses outside the cluster, never pods or nodes (spec 13.1).
    case outsideCluster
}
