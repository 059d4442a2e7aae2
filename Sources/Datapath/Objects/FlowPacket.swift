public import NetTypes

/// The packet that opens a flow: TCP SYN, UDP datagram, SCTP INIT, ICMP message of a type.
public struct FlowPacket: Sendable {
    /// Sender.
    public var source: IPAddress
    /// Receiver, of the same family.
    public var destination: IPAddress
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Source port, or the identifier of an ICMP query; host order.
    public var sourcePort: UInt16
    /// Destination port, or the ICMP type; host order.
    public var destinationPort: UInt16
    /// TCP flags (TCP only); SYN by default.
    public var tcpFlags: UInt8 = 0x02
    /// The TCP sequence number.
    public var sequence: UInt32 = 1
    /// The TCP acknowledgement number.
    public var acknowledgement: UInt32 = 0
    /// Bytes after the transport header.
    public var payload: [UInt8] = []

    /// A packet.
    public init(
        source: IPAddress, destination: IPAddress, protocol: L4Protocol, sourcePort: UInt16, destinationPort: UInt16
    ) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    /// Bytes of an Ethernet header.
    public static let ethernetBytes = 14

    /// The frame, from its Ethernet header on. The header checksum of IPv4 is right; transport checksums are left 0.
    public var frame: [UInt8] {
        let transport = transportHeader + payload
        var frame = [UInt8](repeating: 0, count: 12)
        if let from = source.ipv4, let to = destination.ipv4 {
            frame += [0x08, 0x00]
            frame += Self.ipv4Header(from, to, `protocol`, payloadBytes: transport.count)
        } else {
            frame += [0x86, 0xdd]
            frame += Self.ipv6Header(source, destination, `protocol`, payloadBytes: transport.count)
        }
        return frame + transport
    }

    /// As `frame`, of TCP with a right checksum as well.
    var summedFrame: [UInt8] {
        var frame = frame
        guard `protocol` == .tcp else { return frame }
        let segment = transportHeader + payload
        // The pseudo-header (RFC 9293 3.1, RFC 8200 8.1); zeros in it do not count.
        let ends =
            source.isIPv4 ? source.bytes.suffix(4) + destination.bytes.suffix(4) : source.bytes + destination.bytes
        let pseudo = ends + [0, `protocol`.rawValue] + UInt16(truncatingIfNeeded: segment.count).networkBytes
        let sum = Self.checksum(pseudo + segment)
        let place = frame.count - segment.count + 16
        frame.replaceSubrange(place..<place + 2, with: sum.networkBytes)
        return frame
    }

    /// The Internet checksum (RFC 1071).
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum = stride(from: 0, to: bytes.count, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(bytes[$1]) << 8 + UInt32($1 + 1 < bytes.count ? bytes[$1 + 1] : 0)
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }

    private var transportHeader: [UInt8] {
        let ports = sourcePort.networkBytes + destinationPort.networkBytes
        switch `protocol` {
        case .tcp:
            // 5 words, window 65535
            return ports + sequence.networkBytes + acknowledgement.networkBytes
                + [0x50, tcpFlags, 0xff, 0xff, 0, 0, 0, 0]
        case .udp:
            return ports + UInt16(truncatingIfNeeded: 8 + payload.count).networkBytes + [0, 0]
        case .sctp:
            // verification tag 0, checksum 0, then one INIT chunk of 20 bytes
            return ports + [0, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 20] + [UInt8](repeating: 0, count: 16)
        case .icmp, .icmpv6:
            let type = UInt8(truncatingIfNeeded: destinationPort)
            return [type, 0, 0, 0] + sourcePort.networkBytes + [0, 0] + (embeddedPacket ?? [])
        default:
            return [UInt8](repeating: 0, count: 8)
        }
    }

    /// ICMP errors embed the packet they are about: here one that the receiver never sent, so that the error is judged by its
    /// type. One about a packet that the receiver may send without state would pass as related.
    private var embeddedPacket: [UInt8]? {
        let errors: Set<UInt16> = `protocol` == .icmp ? [3, 11, 12] : [1, 2, 3, 4]
        guard errors.contains(destinationPort) else { return nil }
        let inner = FlowPacket(
            source: source, destination: source, protocol: .udp, sourcePort: sourcePort, destinationPort: 9)
        return Array(inner.frame.dropFirst(Self.ethernetBytes))
    }

    private static func ipv4Header(
        _ source: UInt32, _ destination: UInt32, _ protocol: L4Protocol, payloadBytes: Int
    ) -> [UInt8] {
        let total = UInt16(truncatingIfNeeded: 20 + payloadBytes)
        // version and length, service, total, identification, no fragment, TTL 64, protocol, checksum
        var header: [UInt8] = [0x45, 0] + total.networkBytes + [0, 0, 0, 0, 64, `protocol`.rawValue, 0, 0]
        header += source.networkBytes + destination.networkBytes
        header.replaceSubrange(10..<12, with: checksum(header).networkBytes)
        return header
    }

    private static func ipv6Header(
        _ source: IPAddress, _ destination: IPAddress, _ protocol: L4Protocol, payloadBytes: Int
    ) -> [UInt8] {
        [0x60, 0, 0, 0] + UInt16(truncatingIfNeeded: payloadBytes).networkBytes + [`protocol`.rawValue, 64]
            + source.bytes + destination.bytes
    }
}

extension FixedWidthInteger {
    /// Most significant byte first.
    fileprivate var networkBytes: [UInt8] {
        (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}
