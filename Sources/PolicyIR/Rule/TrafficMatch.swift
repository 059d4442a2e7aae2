public import NetTypes

/// The packets of a peer a rule speaks about.
public enum TrafficMatch: Hashable, Sendable {
    /// Every protocol and port.
    case everything
    /// What at least one clause matches; an empty list matches nothing.
    case anyOf([TrafficClause])

    /// Whether a flow matches. `names` resolves a named port on the destination: all numbers it has there.
    public func matches(
        protocol: L4Protocol, port: UInt16, names: (_ name: String, _ protocol: L4Protocol) -> [UInt16]
    ) -> Bool {
        switch self {
        case .everything:
            return true
        case .anyOf(let clauses):
            return clauses.contains { clause in
                switch clause {
                case .ports(let wanted, let range): wanted == `protocol` && range.contains(port)
                case .named(let wanted, let name): wanted == `protocol` && names(name, wanted).contains(port)
                }
            }
        }
    }
}

/// One alternative of a `TrafficMatch`.
public enum TrafficClause: Hashable, Sendable {
    /// Destination ports (or ICMP types) of one protocol, host order. `PortRange.all` for the whole protocol.
    case ports(L4Protocol, PortRange)
    /// A container port's name, looked up on the destination pod with this protocol. Ingress: the subject itself. Egress:
    /// each remote end for itself; one without the name does not match.
    case named(L4Protocol, String)
}
