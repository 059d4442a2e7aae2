public import NetTypes
public import PolicyAPI

/// The remote ends a rule speaks about.
public enum PeerMatch: Hashable, Sendable {
    /// Every remote end, nodes and the outside included.
    case everyone
    /// Remote ends that at least one peer matches; an empty list matches none.
    case anyOf([Peer])
}

/// One alternative of a `PeerMatch`, with all scoping (namespace, cluster) written out.
public enum Peer: Hashable, Sendable {
    /// Pods by their Kubernetes labels, all of them (NetworkPolicy). Never nodes or hostNetwork pods.
    case pods(NamespaceScope, LabelSelector)
    /// Endpoints by their Cilium identity labels (spec 4.3), reserved ones included if the selector names them.
    case endpoints(LabelSelector)
    /// Nodes by their labels, hostNetwork pods' addresses included; the local node too, unless the selector asks for
    /// `reserved:remote-node`. A key of source `node` or `any` is a label of the Node object. Never pods or the outside.
    case nodes(LabelSelector)
    /// An entity.
    case entity(Entity)
    /// Addresses inside a prefix and outside its exceptions.
    case addresses(IPPrefix, except: [IPPrefix], AddressSpace)
    /// Addresses outside the cluster that DNS has given for names the selector matches.
    case names(FQDNSelector)
}

/// Which addresses a prefix can match.
public enum AddressSpace: Hashable, Sendable {
    /// NetworkPolicy's ipBlock: any address, pods' and remote nodes' too (the local node's as well).
    case everywhere
    /// Cilium's CIDR: only what is outside the cluster, never pods or nodes (spec 13.1).
    case outsideCluster
}
