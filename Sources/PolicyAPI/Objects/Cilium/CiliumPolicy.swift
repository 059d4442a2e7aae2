public import NetTypes

/// A cilium.io/v2 CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy (docs/spec/cilium-network-policy.md 2).
public struct CiliumPolicy: Hashable, Sendable {
    /// Name and, for a CiliumNetworkPolicy, namespace.
    public var metadata: ObjectMeta
    /// Whether this is a CiliumClusterwideNetworkPolicy.
    public var isClusterwide: Bool
    /// `spec`, then `specs`.
    public var rules: [CiliumRule]

    /// A policy.
    public init(metadata: ObjectMeta, isClusterwide: Bool, rules: [CiliumRule]) {
        self.metadata = metadata
        self.isClusterwide = isClusterwide
        self.rules = rules
    }

    /// `CiliumNetworkPolicy` or `CiliumClusterwideNetworkPolicy`.
    public var kind: String { isClusterwide ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy" }
}

/// One rule (`spec`, or an element of `specs`).
public struct CiliumRule: Hashable, Sendable {
    /// The subject of the rule: `endpointSelector` or `nodeSelector`; exactly one is set.
    public enum Subject: Hashable, Sendable {
        /// Pods (and other endpoints that are not the host).
        case endpoints(LabelSelector)
        /// Nodes: a host policy.
        case nodes(LabelSelector)
    }

    /// The subject.
    public var subject: Subject
    /// `ingress`.
    public var ingress: [CiliumElement]
    /// `ingressDeny`.
    public var ingressDeny: [CiliumElement]
    /// `egress`.
    public var egress: [CiliumElement]
    /// `egressDeny`.
    public var egressDeny: [CiliumElement]
    /// `enableDefaultDeny.ingress`, `nil` when absent.
    public var defaultDenyIngress: Bool?
    /// `enableDefaultDeny.egress`, `nil` when absent.
    public var defaultDenyEgress: Bool?
    /// `description`.
    public var description: String
    /// `log.value`.
    public var log: String
    /// Path in the object: `spec` or `specs[i]`.
    public var path: String
    /// Where the rule is written.
    public var location: SourceLocation?

    /// A rule.
    public init(
        subject: Subject, ingress: [CiliumElement] = [], ingressDeny: [CiliumElement] = [],
        egress: [CiliumElement] = [], egressDeny: [CiliumElement] = [], defaultDenyIngress: Bool? = nil,
        defaultDenyEgress: Bool? = nil, description: String = "", log: String = "", path: String = "spec",
        location: SourceLocation? = nil
    ) {
        self.subject = subject
        self.ingress = ingress
        self.ingressDeny = ingressDeny
        self.egress = egress
        self.egressDeny = egressDeny
        self.defaultDenyIngress = defaultDenyIngress
        self.defaultDenyEgress = defaultDenyEgress
        self.description = description
        self.log = log
        self.path = path
        self.location = location
    }
}

/// One element of the four rule lists. Both directions have the same fields: `endpoints` is `fromEndpoints` or
/// `toEndpoints`, and so on.
public struct CiliumElement: Hashable, Sendable {
    /// `fromEndpoints` / `toEndpoints`.
    public var endpoints: Presence<[LabelSelector]> = .absent
    /// `fromEntities` / `toEntities`.
    public var entities: Presence<[Entity]> = .absent
    /// `fromCIDR` / `toCIDR`.
    public var cidrs: Presence<[IPPrefix]> = .absent
    /// `fromCIDRSet` / `toCIDRSet`.
    public var cidrSet: Presence<[CIDRRule]> = .absent
    /// `toServices`.
    public var services: Presence<[ServiceReference]> = .absent
    /// `fromNodes` / `toNodes`.
    public var nodes: Presence<[LabelSelector]> = .absent
    /// `toFQDNs`.
    public var fqdns: Presence<[FQDNSelector]> = .absent
    /// `toPorts`.
    public var toPorts: Presence<[PortRule]> = .absent
    /// `icmps`, flattened over their `fields`.
    public var icmps: Presence<[ICMPField]> = .absent
    /// Path in the object, for example `spec.egressDeny[1]`.
    public var path: String
    /// Where the element is written.
    public var location: SourceLocation?

    /// An element without fields.
    public init(path: String, location: SourceLocation? = nil) {
        self.path = path
        self.location = location
    }
}
