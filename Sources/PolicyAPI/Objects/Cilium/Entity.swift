/// A named class of peers (docs/spec/cilium-network-policy.md 5.1).
public enum Entity: String, Hashable, CaseIterable, Sendable {
    /// Everything.
    case all
    /// Everything outside the cluster.
    case world
    /// IPv4 outside the cluster.
    case worldIPv4 = "world-ipv4"
    /// IPv6 outside the cluster.
    case worldIPv6 = "world-ipv6"
    /// The local node.
    case host
    /// Other nodes.
    case remoteNode = "remote-node"
    /// The API server.
    case kubeAPIServer = "kube-apiserver"
    /// Pods of this cluster, nodes, and the reserved identities that are not `world`.
    case cluster
    /// Cilium's health endpoint.
    case health
    /// The ingress proxy.
    case ingress
    /// Endpoints without labels yet.
    case `init`
    /// Pods that the agent does not manage.
    case unmanaged
    /// Nothing.
    case none
}
