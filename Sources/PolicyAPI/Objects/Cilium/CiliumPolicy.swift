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
    /// Who the rule is about: `endpointSelector` or `nodeSelector`; exactly one is written.
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
    /// `enableDefaultDeny.ingress`, `nil` when not written.
    public var defaultDenyIngress: Bool?
    /// `enableDefaultDeny.egress`, `nil` when not written.
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

/// One element of the four rule lists. The members of both directions have one shape: `endpoints` is `fromEndpoints` or
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

    /// An element without members.
    public init(path: String, location: SourceLocation? = nil) {
        self.path = path
        self.location = location
    }
}

/// One element of `fromCIDRSet` / `toCIDRSet`.
public struct CIDRRule: Hashable, Sendable {
    /// Where the addresses come from; exactly one is written.
    public enum Source: Hashable, Sendable {
        /// `cidr`.
        case prefix(IPPrefix)
        /// `cidrGroupRef`: the name of a CiliumCIDRGroup.
        case group(String)
        /// `cidrGroupSelector`.
        case groups(LabelSelector)
    }

    /// The addresses.
    public var source: Source
    /// `except`: cut out of this element only.
    public var except: [IPPrefix]

    /// A CIDR rule.
    public init(source: Source, except: [IPPrefix] = []) {
        self.source = source
        self.except = except
    }
}

/// One element of `toServices`.
public enum ServiceReference: Hashable, Sendable {
    /// `k8sService`; an empty namespace means any.
    case named(name: String, namespace: String)
    /// `k8sServiceSelector`; an empty namespace means any.
    case selected(LabelSelector, namespace: String)
}

/// One element of `toFQDNs` or of `rules.dns`: a literal name or a pattern, as written.
public enum FQDNSelector: Hashable, Sendable {
    /// `matchName`.
    case name(String)
    /// `matchPattern`.
    case pattern(String)
}

/// One ICMP type of one family.
public struct ICMPField: Hashable, Sendable {
    /// `L4Protocol.icmp` or `.icmpv6`.
    public var `protocol`: L4Protocol
    /// The message type.
    public var type: UInt8

    /// An ICMP field.
    public init(protocol: L4Protocol, type: UInt8) {
        self.protocol = `protocol`
        self.type = type
    }
}

/// One element of `toPorts`.
public struct PortRule: Hashable, Sendable {
    /// `ports`; empty contributes nothing (spec 4.5).
    public var ports: [PortProtocol]
    /// `serverNames`: SNI patterns.
    public var serverNames: [Located<String>]
    /// `rules.http`; absent without L7 rules.
    public var http: Presence<[Located<HTTPRule>]>
    /// `rules.dns`.
    public var dns: Presence<[Located<FQDNSelector>]>
    /// Path in the object.
    public var path: String
    /// Where the element is written.
    public var location: SourceLocation?

    /// A port rule.
    public init(
        ports: [PortProtocol], serverNames: [Located<String>] = [], http: Presence<[Located<HTTPRule>]> = .absent,
        dns: Presence<[Located<FQDNSelector>]> = .absent, path: String, location: SourceLocation? = nil
    ) {
        self.ports = ports
        self.serverNames = serverNames
        self.http = http
        self.dns = dns
        self.path = path
        self.location = location
    }
}

/// One element of `toPorts[].ports`, validated.
public struct PortProtocol: Hashable, Sendable {
    /// What the element names.
    public enum Port: Hashable, Sendable {
        /// Port `"0"`: every port of the protocol.
        case all
        /// A number with `endPort`.
        case range(PortRange)
        /// A container port's name, lower case.
        case named(String)
    }

    /// The protocols: one, or TCP, UDP and SCTP for `ANY` and for none written.
    public var protocols: [L4Protocol]
    /// The ports.
    public var port: Port

    /// A port of one or several protocols.
    public init(protocols: [L4Protocol], port: Port) {
        self.protocols = protocols
        self.port = port
    }
}

/// One element of `rules.http`: all given fields must match.
public struct HTTPRule: Hashable, Sendable {
    /// RE2 pattern for the whole method, empty for any.
    public var method: String
    /// RE2 pattern for the whole path with query, empty for any.
    public var path: String
    /// RE2 pattern for the whole `:authority`, empty for any.
    public var host: String
    /// `headers`, as written.
    public var headers: [String]
    /// `headerMatches`.
    public var headerMatches: [HeaderMatch]

    /// An HTTP rule.
    public init(
        method: String = "", path: String = "", host: String = "", headers: [String] = [],
        headerMatches: [HeaderMatch] = []
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.headers = headers
        self.headerMatches = headerMatches
    }

    /// The name and the value of an entry of `headers`. "Split at the first space. Two parts: name = first part with trailing colons
    /// removed; value = everything after that one space, compared exactly. One part: presence test of that literal name."
    package static func splitHeader(_ text: String) -> (name: String, value: String?) {
        guard let space = text.firstIndex(of: " ") else { return (text, nil) }
        var name = text[..<space]
        while name.hasSuffix(":") { name.removeLast() }
        return (String(name), String(text[text.index(after: space)...]))
    }
}

/// One element of `headerMatches`.
public struct HeaderMatch: Hashable, Sendable {
    /// Header name.
    public var name: String
    /// Expected value; `nil` when not written.
    public var value: String?
    /// `LOG`, `ADD`, `DELETE`, `REPLACE` or empty.
    public var mismatch: String
    /// `secret` as `namespace/name`, or `nil`.
    public var secret: String?

    /// A header match.
    public init(name: String, value: String? = nil, mismatch: String = "", secret: String? = nil) {
        self.name = name
        self.value = value
        self.mismatch = mismatch
        self.secret = secret
    }
}
