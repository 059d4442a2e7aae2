public import NetTypes

/// The first packet of a connection, as policies see it: after service translation.
public struct Flow: Hashable, Sendable {
    /// The sender.
    public var from: FlowEnd
    /// The receiver.
    public var to: FlowEnd
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The destination port, or the ICMP type; 0 for protocols with neither.
    public var port: UInt16
    /// Whether the flow is IPv4; `nil` lets the ends decide: the family of a written address, of ICMP or ICMPv6, else
    /// IPv4 where both pods have it.
    public var isIPv4: Bool?

    /// A flow.
    public init(from: FlowEnd, to: FlowEnd, protocol: L4Protocol, port: UInt16, isIPv4: Bool? = nil) {
        self.from = from
        self.to = to
        self.protocol = `protocol`
        self.port = port
        self.isIPv4 = isIPv4
    }
}

extension Flow: CustomStringConvertible {
    /// `shop/web -> shop/db TCP 5432`, `a/b -> c/d ICMP type 8`.
    public var description: String {
        "\(from) -> \(to) \(`protocol`) " + (`protocol`.isICMP ? "type \(port)" : "\(port)")
    }
}
