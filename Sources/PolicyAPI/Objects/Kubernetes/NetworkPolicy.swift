public import NetTypes

/// A networking.k8s.io/v1 NetworkPolicy (docs/spec/network-policy.md 1).
public struct NetworkPolicy: Hashable, Sendable {
    /// Name and namespace.
    public var metadata: ObjectMeta
    /// `spec.podSelector`; missing or `null` selects every pod of the namespace.
    public var podSelector: LabelSelector
    /// Effective policy types, after the API server's defaulting (spec 1.2).
    public var policyTypes: Set<Direction>
    /// `spec.ingress`; without effect unless `policyTypes` contains ingress.
    public var ingress: [NetworkPolicyRule]
    /// `spec.egress`; without effect unless `policyTypes` contains egress.
    public var egress: [NetworkPolicyRule]

    /// A policy.
    public init(
        metadata: ObjectMeta, podSelector: LabelSelector, policyTypes: Set<Direction>,
        ingress: [NetworkPolicyRule], egress: [NetworkPolicyRule]
    ) {
        self.metadata = metadata
        self.podSelector = podSelector
        self.policyTypes = policyTypes
        self.ingress = ingress
        self.egress = egress
    }
}

/// One element of `ingress` or `egress`.
public struct NetworkPolicyRule: Hashable, Sendable {
    /// `from` / `to`; empty (missing or `[]`) means every peer.
    public var peers: [NetworkPolicyPeer]
    /// `ports`; empty (missing or `[]`) means every port of every protocol.
    public var ports: [NetworkPolicyPort]
    /// Path in the object, for example `spec.ingress[0]`.
    public var path: String
    /// Where the element is written.
    public var location: SourceLocation?

    /// A rule.
    public init(
        peers: [NetworkPolicyPeer], ports: [NetworkPolicyPort], path: String, location: SourceLocation? = nil
    ) {
        self.peers = peers
        self.ports = ports
        self.path = path
        self.location = location
    }
}

/// One element of `from` or `to`.
public enum NetworkPolicyPeer: Hashable, Sendable {
    /// Pods by label. Without `namespaces`: of the policy's namespace; without `pods`: all of the namespaces.
    case pods(namespaces: LabelSelector?, pods: LabelSelector?)
    /// Addresses, including those of pods.
    case ipBlock(cidr: IPPrefix, except: [IPPrefix])
}

/// One element of `ports`, defaults applied.
public struct NetworkPolicyPort: Hashable, Sendable {
    /// What the element names.
    public enum Port: Hashable, Sendable {
        /// No port: all ports of the protocol.
        case all
        /// `port` and `endPort`.
        case range(PortRange)
        /// A container port's name, looked up on the destination pod with the protocol.
        case named(String)
    }

    /// TCP when absent.
    public var `protocol`: L4Protocol
    /// The ports.
    public var port: Port

    /// A port element.
    public init(protocol: L4Protocol, port: Port) {
        self.protocol = `protocol`
        self.port = port
    }
}
