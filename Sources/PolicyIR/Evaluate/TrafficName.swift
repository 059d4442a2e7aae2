public import NetTypes

/// A protocol and a port (or ICMP type) as users write them: `80/TCP`, `TCP:80`, `ICMP/8`.
public struct TrafficName: Hashable, Sendable {
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The port, or the ICMP type.
    public var port: UInt16

    /// A protocol and a port from text: in either order, separated by `/` or `:`; a number alone is a TCP port. `nil`
    /// for anything else.
    public init?(parsing text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == ":" }.map(String.init)
        switch parts.count {
        case 1:
            guard let port = UInt16(parts[0]) else { return nil }
            self.init(.tcp, port)
        case 2:
            if let wanted = L4Protocol(parsing: parts[0]), let port = UInt16(parts[1]) {
                self.init(wanted, port)
            } else if let wanted = L4Protocol(parsing: parts[1]), let port = UInt16(parts[0]) {
                self.init(wanted, port)
            } else {
                return nil
            }
        default: return nil
        }
        if `protocol`.isICMP, port > 255 { return nil }
    }

    private init(_ protocol: L4Protocol, _ port: UInt16) {
        self.protocol = `protocol`
        self.port = port
    }
}

extension L4Protocol {
    /// A protocol that carries ports or ICMP types by its name, whatever the case; `nil` for others.
    public init?(parsing text: some StringProtocol) {
        switch text.uppercased() {
        case "TCP": self = .tcp
        case "UDP": self = .udp
        case "SCTP": self = .sctp
        case "ICMP": self = .icmp
        case "ICMPV6": self = .icmpv6
        default: return nil
        }
    }
}
