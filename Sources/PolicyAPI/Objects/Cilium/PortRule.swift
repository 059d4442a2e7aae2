public import NetTypes

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
    /// `ports`; an empty list matches nothing (spec 4.5).
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

    /// The protocols: one, or TCP, UDP and SCTP for `ANY` and when absent.
    public var protocols: [L4Protocol]
    /// The ports.
    public var port: Port

    /// A port of one or several protocols.
    public init(protocols: [L4Protocol], port: Port) {
        self.protocols = protocols
        self.port = port
    }
}
