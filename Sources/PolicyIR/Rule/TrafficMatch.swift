public import NetTypes

/// The packets that a rule matches.
public enum TrafficMatch: Hashable, Sendable {
    /// Every protocol and port.
    case everything
    /// Packets that at least one clause matches; an empty list matches none.
    case anyOf([TrafficClause])

    /// Whether a flow matches. `names` resolves a named port on the destination to all of its numbers.
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

extension TrafficMatch {
    /// Whether TCP matches at each port at which UDP does. Of named ports it is not known.
    public var coversTCPOfUDP: Bool {
        guard case .anyOf(let clauses) = self else { return true }
        // Of a few, looking at all of them is cheaper.
        let all = clauses.count > fewElements ? Set(clauses) : []
        return clauses.allSatisfy { clause in
            switch clause {
            case .ports(.udp, let range):
                all.isEmpty ? clauses.contains(.ports(.tcp, range)) : all.contains(.ports(.tcp, range))
            case .ports: true
            case .named(let wanted, _): wanted != .udp
            }
        }
    }
}

/// One alternative of a `TrafficMatch`.
public enum TrafficClause: Hashable, Sendable {
    /// Destination ports (or ICMP types) of one protocol, host order. `PortRange.all` for the whole protocol.
    case ports(L4Protocol, PortRange)
    /// A container port's name, resolved on the destination pod with this protocol. Ingress: the subject. Egress: each remote
    /// end; one without the name does not match.
    case named(L4Protocol, String)
}
