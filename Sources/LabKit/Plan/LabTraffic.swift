public import NetTypes

/// What a probe asks for: a port of a transport protocol, or an echo.
public struct LabTraffic: Hashable, Comparable, Sendable {
    /// TCP, UDP; `icmp` stands for an echo request of either family.
    public var `protocol`: L4Protocol
    /// The port, host order; 0 for an echo.
    public var port: UInt16

    /// A port.
    public init(_ protocol: L4Protocol, _ port: UInt16) {
        self.protocol = `protocol`
        self.port = port
    }

    /// An echo request.
    public static let echo = LabTraffic(.icmp, 0)

    /// The protocol on the wire for a family.
    public func wireProtocol(isIPv4: Bool) -> L4Protocol {
        self == .echo ? (isIPv4 ? .icmp : .icmpv6) : `protocol`
    }

    /// The port or ICMP type that policies see.
    public func policyPort(isIPv4: Bool) -> UInt16 { self == .echo ? (isIPv4 ? 8 : 128) : port }

    /// TCP, UDP, then the echo; by port.
    public static func < (left: LabTraffic, right: LabTraffic) -> Bool {
        if left.protocol == right.protocol { return left.port < right.port }
        return left != .echo && (right == .echo || left.protocol < right.protocol)
    }
}

extension LabTraffic: CustomStringConvertible {
    /// `TCP 80`, `ping`.
    public var description: String { self == .echo ? "ping" : "\(`protocol`) \(port)" }
}

extension LabTraffic {
    /// `TCP 53, 80; UDP 53; ping`: each protocol once.
    public static func list(_ traffic: [LabTraffic]) -> String {
        var parts: [String] = []
        var last: L4Protocol?
        for item in traffic.sorted() {
            if item != .echo, item.protocol == last {
                parts[parts.count - 1] += ", \(item.port)"
            } else {
                parts.append(item.description)
                last = item.protocol
            }
        }
        return parts.joined(separator: "; ")
    }
}
