/// The identities with fixed numbers, by Cilium's numbers (docs/spec/cilium-network-policy.md 5.2). Equal to `NP_IDENTITY_*`.
public enum ReservedIdentity: UInt32, Hashable, CaseIterable, Sendable {
    /// Nobody knows whose address it is: no peer of any allow rule, a peer of every deny rule.
    case unknown = 0
    /// The local node.
    case host = 1
    /// Outside the cluster, single-stack spelling. No address gets it here.
    case world = 2
    /// A pod that no agent manages.
    case unmanaged = 3
    /// Cilium's health endpoint.
    case health = 4
    /// An endpoint without labels yet.
    case initial = 5
    /// Another node.
    case remoteNode = 6
    /// The API server.
    case kubeAPIServer = 7
    /// The ingress proxy.
    case ingress = 8
    /// IPv4 outside the cluster.
    case worldIPv4 = 9
    /// IPv6 outside the cluster.
    case worldIPv6 = 10

    /// The key of the identity's `reserved:` label.
    public var labelKey: String {
        switch self {
        case .unknown: "unknown"
        case .host: "host"
        case .world: "world"
        case .unmanaged: "unmanaged"
        case .health: "health"
        case .initial: "init"
        case .remoteNode: "remote-node"
        case .kubeAPIServer: "kube-apiserver"
        case .ingress: "ingress"
        case .worldIPv4: "world-ipv4"
        case .worldIPv6: "world-ipv6"
        }
    }
}
