import CNetpoldABI
import NetTypes
import PolicyAPI
import PolicyIR

/// What should become of each packet, from the definition: the semantics of the datapath as a few dictionaries.
struct OracleDatapath {
    typealias Pod = PacketWorld.Pod

    /// One end of an exchange.
    struct End: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    /// An exchange, whichever way its packets go.
    struct Flow: Hashable {
        var ends: Set<End>
        var `protocol`: UInt8
    }

    /// That a pod admitted a flow, and by which of its policies.
    struct Admission {
        var revision: Int
        var direction: Direction
    }

    /// Which side of a flow a pod is on. Two ends may be alike; then the hook tells.
    struct Side: Hashable {
        var flow: Flow
        var end: End
        var alikeSource: Bool
    }

    struct Datagram: Hashable {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt32
        var `protocol`: UInt8
    }

    var policies: [Pod: [Direction: PacketPolicy]] = [:]
    var revisions: [Pod: Int] = [.a: 0, .b: 0]
    var admissions: [Side: Admission] = [:]
    var datagrams: [Datagram: OraclePacket] = [:]

    mutating func forget() {
        admissions = [:]
        datagrams = [:]
    }

    /// The reason the datapath should count the frame under.
    mutating func judge(_ frame: [UInt8], _ direction: Direction, of pod: Pod) -> np_reason {
        var packet: OraclePacket
        do { packet = try OracleParser.parse(frame: frame) } catch { return error.reason }
        if isNeighbourTalk(packet, direction, pod) { return NP_REASON_NEIGHBOUR_DISCOVERY }
        let own = PacketWorld.addresses(of: pod)
        if direction == .egress, !own.contains(packet.source) { return NP_DROP_SPOOFED_SOURCE }
        if let refused = assemble(&packet) { return refused }

        if packet.kind == .icmpError { return judgeError(packet, direction, pod) }
        if packet.kind == .icmpMessage || direction == .ingress && !own.contains(packet.destination) {
            return judgeAlone(packet, direction, pod)
        }
        let side = side(of: packet, direction)
        if let admission = admissions[side] {
            let forward = admission.direction == direction
            let contradicts = forward ? packet.kind == .icmpAnswer : packet.kind == .exchange(asks: true)
            if !contradicts {
                if admission.revision == revisions[pod] { return forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY }
                return admit(side, packet, travel: direction, by: admission.direction, pod, NP_REASON_REVALIDATED)
            }
        }
        if packet.kind == .icmpAnswer { return judgeAlone(packet, direction, pod) }
        return admit(side, packet, travel: direction, by: direction, pod, NP_REASON_ALLOWED)
    }

    private func side(of packet: OraclePacket, _ travel: Direction) -> Side {
        let source = End(address: packet.source, port: packet.sourcePort)
        let destination = End(address: packet.destination, port: packet.destinationPort)
        return Side(
            flow: Flow(ends: [source, destination], protocol: packet.protocol),
            end: travel == .egress ? source : destination, alikeSource: source == destination && travel == .egress)
    }

    private func ask(
        _ direction: Direction, of pod: Pod, remote: IPAddress, protocol: UInt8, port: UInt16
    ) -> np_reason {
        let identity = PacketWorld.identity(of: remote)
        switch (policies[pod]?[direction] ?? .closed).answer(identity: identity, protocol: `protocol`, port: port) {
        case .allow: return NP_REASON_ALLOWED
        case .denyByRule: return NP_DROP_POLICY_DENY
        case .denyByDefault: return NP_DROP_POLICY_DEFAULT
        case .l7: return NP_DROP_L7_UNAVAILABLE
        }
    }

    private mutating func admit(
        _ side: Side, _ packet: OraclePacket, travel: Direction, by direction: Direction, _ pod: Pod,
        _ allowed: np_reason
    ) -> np_reason {
        let remote = travel == .egress ? packet.destination : packet.source
        let port = travel == direction ? packet.destinationPort : packet.sourcePort
        let answer = ask(direction, of: pod, remote: remote, protocol: packet.protocol, port: port)
        guard answer == NP_REASON_ALLOWED else { return answer }
        admissions[side] = Admission(revision: revisions[pod, default: 0], direction: direction)
        return allowed
    }

    private func judgeAlone(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        var port = UInt16(packet.icmpType)
        if case .exchange = packet.kind { port = packet.destinationPort }
        let remote = direction == .egress ? packet.destination : packet.source
        return ask(direction, of: pod, remote: remote, protocol: packet.protocol, port: port)
    }

    private mutating func judgeError(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        guard let embedded = OracleParser.parse(embedded: packet.body, v6: packet.protocol == 58) else {
            return NP_DROP_ICMP_INNER
        }
        let travel: Direction = direction == .egress ? .ingress : .egress
        let mine = travel == .egress ? embedded.source : embedded.destination
        let side = side(of: embedded, travel)
        guard PacketWorld.addresses(of: pod).contains(mine), embedded.source == packet.destination,
            embedded.kind != .icmpError, embedded.kind != .icmpMessage, let admission = admissions[side]
        else { return judgeAlone(packet, direction, pod) }
        if admission.revision == revisions[pod] { return NP_REASON_RELATED }
        return admit(side, embedded, travel: travel, by: admission.direction, pod, NP_REASON_RELATED)
    }

    /// Gives later fragments what the first one told. Returns why the fragment must go, if it must.
    private mutating func assemble(_ packet: inout OraclePacket) -> np_reason? {
        guard let place = packet.fragment else { return nil }
        let datagram = Datagram(
            source: packet.source, destination: packet.destination, identification: place.identification,
            protocol: packet.source.isIPv4 ? packet.protocol : 0)
        if place.offset == 0 {
            if packet.kind == .icmpError { packet.kind = .icmpMessage }
            datagrams[datagram] = packet
            return nil
        }
        let least = packet.protocol == 6 ? 20 : packet.protocol == 132 ? 16 : 8
        if place.offset < least { return NP_DROP_FRAGMENT_TINY }
        guard let first = datagrams[datagram] else { return NP_DROP_FRAGMENT_UNKNOWN }
        if place.offset < first.fragment?.headers ?? 0 { return NP_DROP_FRAGMENT_TINY }
        packet.protocol = first.protocol
        packet.sourcePort = first.sourcePort
        packet.destinationPort = first.destinationPort
        packet.icmpType = first.icmpType
        packet.kind = first.kind
        // Whether the first one asked is not known of the others.
        if case .exchange = first.kind { packet.kind = .exchange(asks: false) }
        return nil
    }

    private func isNeighbourTalk(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> Bool {
        guard packet.protocol == 58, !packet.source.isIPv4, packet.kind == .icmpMessage, packet.icmpCode == 0,
            packet.fragment == nil
        else { return false }
        let linkSource = packet.source.high >> 54 == 0xfe80 >> 6 || packet.source == PacketWorld.unspecified
        let group = packet.destination.high >> 56 == 0xff
        let isReport = [131, 132, 143].contains(packet.icmpType)
        if direction == .ingress {
            if (133...137).contains(packet.icmpType) { return packet.hopLimit == 255 }
            return (isReport || packet.icmpType == 130) && packet.hopLimit == 1 && linkSource && group
        }
        if [133, 135, 136].contains(packet.icmpType), packet.hopLimit == 255 {
            let own = PacketWorld.addresses(of: pod).contains(packet.source)
            let near =
                packet.destination.high >> 48 == 0xff02 || packet.destination.high >> 54 == 0xfe80 >> 6
                || [PacketWorld.host, UInt32(NP_IDENTITY_FIRST_HOST)].contains(
                    PacketWorld.identity(of: packet.destination))
            return (linkSource || own) && near
        }
        return isReport && packet.hopLimit == 1 && linkSource && group
    }
}
