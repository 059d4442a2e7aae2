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
    /// How the other end's packets came to a side.
    var arrivals: [Side: UInt32] = [:]
    /// How the packet came in that is being judged.
    private var arrival: UInt32 = 0

    mutating func forget() {
        admissions = [:]
        arrivals = [:]
        datagrams = [:]
    }

    /// The reason the datapath should count the frame under.
    mutating func judge(_ frame: [UInt8], _ direction: Direction, of pod: Pod, by arrival: UInt32) -> np_reason {
        self.arrival = arrival
        var packet: OraclePacket
        do { packet = try OracleParser.parse(frame: frame) } catch {
            guard error.reason == NP_REASON_ARP else { return error.reason }
            return OracleNeighbours(pod: pod, direction: direction, arrival: arrival).judge(arp: frame)
        }
        if let told = OracleNeighbours(pod: pod, direction: direction, arrival: arrival).judge(packet, frame) {
            return told
        }
        let own = PacketWorld.addresses(of: pod)
        if direction == .egress, !own.contains(packet.source) { return NP_DROP_SPOOFED_SOURCE }
        if direction == .ingress, packet.fragment != nil || packet.kind == .icmpError, isForeign(packet.source) {
            return NP_DROP_FOREIGN_SOURCE
        }
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
                if admission.revision == revisions[pod] {
                    let known = forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY
                    let before = arrivals[side]
                    if direction == .egress || before == arrival { return known }
                    if isForeign(packet.source) { return NP_DROP_FOREIGN_SOURCE }
                    // The node, the pod itself and somebody else may stand behind one address.
                    let special: [UInt32?] = [0, PacketWorld.own]
                    if !forward || !special.contains(before) && !special.contains(arrival) {
                        arrivals[side] = arrival
                        return known
                    }
                }
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
        _ direction: Direction, of pod: Pod, remote: IPAddress, cameBy: UInt32?, protocol: UInt8, port: UInt16
    ) -> np_reason {
        var identities = [PacketWorld.identity(of: remote)]
        if direction == .ingress, PacketWorld.isNode(remote), cameBy != 0 {
            identities = [PacketWorld.outsideIdentity(of: remote)]
        }
        if direction == .egress, PacketWorld.isShared(remote) { identities.append(PacketWorld.host) }
        let policy = policies[pod]?[direction] ?? .closed
        let answers = identities.map { policy.answer(identity: $0, protocol: `protocol`, port: port) }
        switch answers.first(where: { $0 != .allow }) ?? .allow {
        case .allow: return NP_REASON_ALLOWED
        case .denyByRule: return NP_DROP_POLICY_DENY
        case .denyByDefault: return NP_DROP_POLICY_DEFAULT
        case .l7: return NP_DROP_L7_UNAVAILABLE
        }
    }

    private mutating func admit(
        _ side: Side, _ packet: OraclePacket, travel: Direction, by direction: Direction, _ pod: Pod,
        _ allowed: np_reason, isError: Bool = false
    ) -> np_reason {
        let remote = travel == .egress ? packet.destination : packet.source
        let port = travel == direction ? packet.destinationPort : packet.sourcePort
        let arrived = travel == .ingress && !isError
        let cameBy = arrived ? arrival : arrivals[side]
        let isHairpin = direction == .ingress && cameBy == PacketWorld.own
        if !isHairpin {
            if arrived, isForeign(remote) { return NP_DROP_FOREIGN_SOURCE }
            let answer = ask(
                direction, of: pod, remote: remote, cameBy: cameBy, protocol: packet.protocol, port: port)
            guard answer == NP_REASON_ALLOWED else { return answer }
        }
        admissions[side] = Admission(revision: revisions[pod, default: 0], direction: direction)
        if arrived { arrivals[side] = arrival }
        return isHairpin ? NP_REASON_HAIRPIN : allowed
    }

    /// Whether the packet's source is a local pod's and that pod did not send it.
    private func isForeign(_ source: IPAddress) -> Bool {
        guard let owner = Pod.allCases.first(where: { PacketWorld.addresses(of: $0).contains(source) }) else {
            return false
        }
        return !PacketWorld.links(of: owner).contains(arrival)
    }

    private func judgeAlone(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        var port = UInt16(packet.icmpType)
        if case .exchange = packet.kind { port = packet.destinationPort }
        let remote = direction == .egress ? packet.destination : packet.source
        if direction == .ingress, arrival == PacketWorld.own { return NP_REASON_HAIRPIN }
        if direction == .ingress, isForeign(remote) { return NP_DROP_FOREIGN_SOURCE }
        return ask(direction, of: pod, remote: remote, cameBy: arrival, protocol: packet.protocol, port: port)
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
        return admit(side, embedded, travel: travel, by: admission.direction, pod, NP_REASON_RELATED, isError: true)
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
}
