/// A transport protocol by its IANA number.
public struct L4Protocol: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number in the IP header.
    public let rawValue: UInt8

    /// A protocol by number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ICMP for IPv4 (1).
    public static let icmp = L4Protocol(rawValue: 1)
    /// TCP (6).
    public static let tcp = L4Protocol(rawValue: 6)
    /// UDP (17).
    public static let udp = L4Protocol(rawValue: 17)
    /// ICMP for IPv6 (58).
    public static let icmpv6 = L4Protocol(rawValue: 58)
    /// SCTP (132).
    public static let sctp = L4Protocol(rawValue: 132)

    /// Whether packets of this protocol carry ports.
    public var hasPorts: Bool { self == .tcp || self == .udp || self == .sctp }
    /// Whether policies match the message type of this protocol in place of a port.
    public var isICMP: Bool { self == .icmp || self == .icmpv6 }

    /// By number.
    public static func < (left: L4Protocol, right: L4Protocol) -> Bool { left.rawValue < right.rawValue }
}

extension L4Protocol: CustomStringConvertible {
    /// `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`, or `proto-N`.
    public var description: String {
        switch self {
        case .tcp: "TCP"
        case .udp: "UDP"
        case .sctp: "SCTP"
        case .icmp: "ICMP"
        case .icmpv6: "ICMPv6"
        default: "proto-\(rawValue)"
        }
    }
}
