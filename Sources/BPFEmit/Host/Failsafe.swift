public import NetTypes

/// Ports of the node, or of remote ends, that pass whatever host policies say.
public struct Failsafe: Hashable, Sendable {
    /// The direction of the packet that opens the exchange: `ingress` for ports of the node.
    public var direction: Direction
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Ports of the receiver of that packet, host order.
    public var ports: PortRange

    /// A fail-safe.
    public init(_ direction: Direction, _ protocol: L4Protocol, _ ports: PortRange) {
        self.direction = direction
        self.protocol = `protocol`
        self.ports = ports
    }

    /// SSH, API server, kubelet and DHCP to the node; the API server from it.
    public static let standard = [
        Failsafe(.ingress, .tcp, PortRange(22)), Failsafe(.ingress, .tcp, PortRange(6443)),
        Failsafe(.ingress, .tcp, PortRange(10250)), Failsafe(.ingress, .udp, PortRange(68)),
        Failsafe(.ingress, .udp, PortRange(546)), Failsafe(.egress, .tcp, PortRange(6443)),
    ]

    /// Reads `ingress:tcp:22` or `egress:udp:8472-8473`; `nil` for anything else. TCP, UDP and SCTP have ports.
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        switch parts[0] {
        case "ingress": direction = .ingress
        case "egress": direction = .egress
        default: return nil
        }
        switch parts[1] {
        case "tcp": `protocol` = .tcp
        case "udp": `protocol` = .udp
        case "sctp": `protocol` = .sctp
        default: return nil
        }
        let ends = parts[2].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard let first = ends.first ?? nil, first > 0, let last = ends.last ?? nil, ends.count <= 2, first <= last
        else { return nil }
        ports = PortRange(first, last)
    }
}

extension Failsafe: CustomStringConvertible {
    /// The text that `init(parsing:)` reads.
    public var description: String {
        let name = `protocol` == .tcp ? "tcp" : `protocol` == .udp ? "udp" : "sctp"
        let range = ports.first == ports.last ? "\(ports.first)" : "\(ports.first)-\(ports.last)"
        return "\(direction == .ingress ? "ingress" : "egress"):\(name):\(range)"
    }
}
