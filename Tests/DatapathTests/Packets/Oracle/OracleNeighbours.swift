import CNetpoldABI
import NetTypes

/// ARP and neighbour discovery by the RFCs, at a hook of a pod.
struct OracleNeighbours {
    var pod: PacketWorld.Pod
    var direction: Direction
    /// The interface by which the packet came in; 0: generated here.
    var arrival: UInt32

    private var own: [IPAddress] { PacketWorld.addresses(of: pod) }

    func judge(arp frame: [UInt8]) -> np_reason {
        let body = Array(frame.dropFirst(14))
        guard body.count >= 28 else { return NP_DROP_TRUNCATED }
        // Ethernet, IPv4, lengths 6 and 4, request or reply
        guard Array(body[0..<7]) == [0, 1, 8, 0, 6, 4, 0], [1, 2].contains(body[7]), frame.count <= 60 else {
            return NP_DROP_ARP_INVALID
        }
        let sender = Self.ipv4(body[14..<18])
        let target = Self.ipv4(body[24..<28])
        if direction == .egress {
            if body.dropFirst(28).contains(where: { $0 != 0 }) { return NP_DROP_ARP_INVALID }
            let isProbe = sender == IPAddress(ipv4: 0) && body[7] == 1
            return body[8..<14] == frame[6..<12] && (isProbe || own.contains(sender))
                ? NP_REASON_ARP : NP_DROP_ARP_SPOOFED
        }
        guard mayBeTold(of: sender) else { return NP_DROP_FOREIGN_SOURCE }
        return own.contains(target) || sender == target ? NP_REASON_ARP : NP_DROP_ARP_TARGET
    }

    /// `nil`: it is no neighbour discovery that passes or is refused as such.
    func judge(_ packet: OraclePacket, _ frame: [UInt8]) -> np_reason? {
        guard packet.protocol == 58, !packet.source.isIPv4, packet.kind == .icmpMessage, packet.icmpCode == 0,
            packet.fragment == nil
        else { return nil }
        let told: np_reason?
        switch (packet.hopLimit, direction) {
        case (1, .egress): told = judgeReport(packet, Array(frame[6..<12]))
        case (1, .ingress): told = isOfListeners(packet) ? NP_REASON_NEIGHBOUR_DISCOVERY : nil
        case (255, .egress): told = judgeSent(packet, Array(frame[6..<12]))
        case (255, .ingress): told = judgeReceived(packet)
        default: told = nil
        }
        let end = 54 + Int(frame[18]) << 8 + Int(frame[19])
        return told == NP_REASON_NEIGHBOUR_DISCOVERY && frame.count != end ? NP_DROP_BAD_HEADER : told
    }

    /// What asks for listeners, or says who listens: pods' reports were looked at at their own hooks.
    private func isOfListeners(_ packet: OraclePacket) -> Bool {
        [130, 131, 132, 143].contains(packet.icmpType)
            && (Self.isLinkLocal(packet.source) || packet.source == PacketWorld.unspecified)
            && packet.destination.high >> 56 == 0xff
    }

    /// What a pod says that it listens to, in the version that the type says.
    private func judgeReport(_ packet: OraclePacket, _ mac: [UInt8]) -> np_reason? {
        let isOfLink =
            packet.source == PacketWorld.unspecified
            || Self.isLinkLocal(packet.source) && isMine(packet.source, mac)
        guard isOfLink else { return nil }
        let isPlain: Bool
        switch packet.icmpType {
        case 131: isPlain = packet.body == packet.destination.bytes && packet.body.first == 0xff
        case 132:
            isPlain =
                packet.body.count == 16 && packet.body.first == 0xff
                && packet.destination == IPAddress(high: 0xff02 << 48, low: 2)
        case 143: isPlain = packet.body.count <= 320 && packet.destination == IPAddress(high: 0xff02 << 48, low: 0x16)
        default: isPlain = false
        }
        return isPlain ? NP_REASON_NEIGHBOUR_DISCOVERY : nil
    }

    private func judgeSent(_ packet: OraclePacket, _ mac: [UInt8]) -> np_reason? {
        guard [133, 135, 136].contains(packet.icmpType) else { return nil }
        let hasNoSource = packet.source == PacketWorld.unspecified
        guard isMine(packet.source, mac) || hasNoSource && packet.icmpType != 136 else { return nil }
        var rest = packet.body[...]
        if packet.icmpType != 133 {
            guard rest.count >= 16 else { return NP_DROP_TRUNCATED }
            let target = Self.ipv6(rest.prefix(16))
            rest = rest.dropFirst(16)
            if packet.icmpType == 136 || hasNoSource, !isMine(target, mac) { return NP_DROP_NEIGHBOUR_SPOOFED }
        }
        var options = 0
        while !rest.isEmpty {
            options += 1
            if options > 2 { return NP_DROP_BAD_HEADER }
            guard let type = rest.first, let units = rest.dropFirst().first else { return NP_DROP_TRUNCATED }
            if units == 0 { return NP_DROP_BAD_HEADER }
            let option = rest.prefix(8 * Int(units))
            guard option.count == 8 * Int(units) else { return NP_DROP_TRUNCATED }
            if type == 1 || type == 2 {
                guard option.dropFirst(2).elementsEqual(mac), !(type == 1 && hasNoSource) else {
                    return NP_DROP_NEIGHBOUR_SPOOFED
                }
            } else if type != 14 || option.count != 8 {
                return NP_DROP_BAD_HEADER
            }
            rest = rest.dropFirst(option.count)
        }
        let to = packet.destination
        let isNear =
            to.high >> 48 == 0xff02 || Self.isLinkLocal(to) || PacketWorld.isNode(to)
            || PacketWorld.Pod.allCases.contains { PacketWorld.addresses(of: $0).contains(to) }
        return isNear ? NP_REASON_NEIGHBOUR_DISCOVERY : nil
    }

    private func judgeReceived(_ packet: OraclePacket) -> np_reason? {
        guard (133...137).contains(packet.icmpType) else { return nil }
        guard mayBeTold(of: packet.source) else { return NP_DROP_FOREIGN_SOURCE }
        if packet.icmpType == 136 {
            guard packet.body.count >= 16 else { return NP_DROP_TRUNCATED }
            guard mayBeTold(of: Self.ipv6(packet.body.prefix(16))) else { return NP_DROP_FOREIGN_SOURCE }
        }
        return NP_REASON_NEIGHBOUR_DISCOVERY
    }

    /// The node speaks for everybody; of the node and of its pods nobody else does.
    private func mayBeTold(of address: IPAddress) -> Bool {
        if arrival == 0 { return true }
        if PacketWorld.isNode(address) { return false }
        let owner = PacketWorld.Pod.allCases.first { PacketWorld.addresses(of: $0).contains(address) }
        return owner.map { PacketWorld.links(of: $0).contains(arrival) } ?? true
    }

    /// Whether a pod whose frames come from `mac` may say an address is its own.
    private func isMine(_ address: IPAddress, _ mac: [UInt8]) -> Bool {
        if own.contains(address) { return true }
        guard Self.isLinkLocal(address) else { return false }
        let bytes = address.bytes
        if bytes[11] == 0xff, bytes[12] == 0xfe {
            return Array(bytes[8...]) == [mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]
        }
        return !PacketWorld.exact.contains { $0.address == address }
    }

    private static func isLinkLocal(_ address: IPAddress) -> Bool { address.high >> 54 == 0xfe80 >> 6 }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        IPAddress(ipv4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func ipv6(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        let halves = [bytes.prefix(8), bytes.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return IPAddress(high: halves[0], low: halves[1])
    }
}
