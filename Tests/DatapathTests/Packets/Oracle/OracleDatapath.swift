import CNetpoldABI
import NetTypes
import PolicyAPI
import PolicyIR

/// What should become of each packet, from the definition: the semantics of the datapath as a few dictionaries.
struct OracleDatapath {
    typealias Pod = PacketWorld.Pod

    struct Datagram: Hashable {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt32
        var `protocol`: UInt8
    }

    var policies: [Pod: [Direction: PacketPolicy]] = [:]
    var revisions: [Pod: Int] = [.a: 0, .b: 0]
    /// Needs for state beyond those that the policies have.
    var floors: [Pod: [Direction: np_state_need]] = [:]
    /// When policies have changed for the worse.
    var changes: [Pod: PolicyAge] = [:]
    var entries: [OracleFlow: OracleEntry] = [:]
    var datagrams: [Datagram: OraclePacket] = [:]
    /// How the packet came in that is being judged.
    private var arrival: UInt32 = 0

    mutating func forget() {
        entries = [:]
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
        if direction == .egress, [4, 41, 47].contains(packet.protocol), PacketWorld.mayUnpack(packet.destination) {
            return NP_DROP_TUNNEL
        }
        if direction == .ingress, packet.fragment != nil || packet.kind == .icmpError, isForeign(packet.source) {
            return NP_DROP_FOREIGN_SOURCE
        }
        if let refused = assemble(&packet) { return refused }

        if packet.kind == .icmpError { return judgeError(packet, direction, pod) }
        if packet.kind == .icmpMessage || direction == .ingress && !own.contains(packet.destination) {
            return judgeAlone(packet, direction, pod)
        }
        return judgeExchange(packet, direction, pod)
    }

    /// The packet is part of an exchange with somebody.
    private mutating func judgeExchange(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        let flow = OracleFlow(packet, direction, of: pod)
        let need = need(direction, of: pod)
        if need == NP_STATE_ALWAYS, !packet.opens, let known = judgeKnown(packet, direction, flow) { return known }

        // The packet in its own right.
        let isHairpin = direction == .ingress && arrival == PacketWorld.own
        let allowed = isHairpin ? NP_REASON_HAIRPIN : NP_REASON_ALLOWED
        var own = NP_REASON_ALLOWED
        if !isHairpin {
            if direction == .ingress, isForeign(packet.source) { return NP_DROP_FOREIGN_SOURCE }
            own = askOwn(packet, direction, pod)
            if own != NP_REASON_ALLOWED, packet.asks { return own }
        }
        if own == NP_REASON_ALLOWED {
            if need == NP_STATE_NEVER { return allowed }
            if need == NP_STATE_MIRROR, askMirror(packet, direction, pod) == NP_REASON_ALLOWED { return allowed }
        }
        guard let entry = entries[flow] else {
            guard own == NP_REASON_ALLOWED else { return own }
            return judgeUnknown(packet, direction, flow, allowed)
        }
        if packet.opens || !entry.owns(packet, direction) {
            guard own == NP_REASON_ALLOWED else { return own }
            if packet.kind != .icmpAnswer { begin(packet, direction, flow) }
            return allowed
        }
        let isCurrent = entry.revision == revisions[pod]
        if entry.admittedBy == direction {
            guard own == NP_REASON_ALLOWED else { return own }
            pass(packet, direction, flow)
            return isCurrent ? NP_REASON_ESTABLISHED : isHairpin ? NP_REASON_HAIRPIN : NP_REASON_REVALIDATED
        }
        if isCurrent {
            pass(packet, direction, flow)
            return NP_REASON_REPLY
        }
        // The reply of a flow that was admitted before policies changed: would it be admitted now?
        if entry.admittedBy == .ingress, entry.arrival == PacketWorld.own {
            pass(packet, direction, flow)
            return NP_REASON_HAIRPIN
        }
        let answer = ask(
            entry.admittedBy, of: pod, remote: flow.remote.address, cameBy: entry.arrival, protocol: packet.protocol,
            port: packet.sourcePort)
        guard answer == NP_REASON_ALLOWED else { return answer }
        pass(packet, direction, flow)
        return NP_REASON_REVALIDATED
    }

    /// A packet of a flow that was admitted under the policies of now. `nil`: policy must be asked.
    private mutating func judgeKnown(
        _ packet: OraclePacket, _ direction: Direction, _ flow: OracleFlow
    ) -> np_reason? {
        guard let entry = entries[flow], entry.owns(packet, direction), entry.revision == revisions[flow.pod] else {
            return nil
        }
        let forward = entry.admittedBy == direction
        if direction == .ingress, entry.arrival != arrival {
            if isForeign(packet.source) { return NP_DROP_FOREIGN_SOURCE }
            // The node, the pod itself and somebody else may stand behind one address.
            let special: [UInt32?] = [0, PacketWorld.own]
            if forward, special.contains(entry.arrival) || special.contains(arrival) { return nil }
        }
        pass(packet, direction, flow)
        return forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY
    }

    /// Policy allows the packet, and its flow is not known.
    private mutating func judgeUnknown(
        _ packet: OraclePacket, _ direction: Direction, _ flow: OracleFlow, _ allowed: np_reason
    ) -> np_reason {
        if packet.kind == .icmpAnswer { return allowed }
        var admittedBy = direction
        if packet.mayAnswer(changes[flow.pod, default: .old]), allowed != NP_REASON_HAIRPIN {
            let mirror = askMirror(packet, direction, flow.pod)
            guard mirror == NP_REASON_ALLOWED else { return mirror }
            // Who asked is not even likely, and both may.
            if !packet.hasConnection, !packet.isFromServer { return allowed }
            admittedBy = Self.opposite(direction)
        }
        enter(packet, direction, flow, admittedBy)
        return allowed
    }

    private mutating func enter(
        _ packet: OraclePacket, _ travel: Direction, _ flow: OracleFlow, _ admittedBy: Direction
    ) {
        var entry = OracleEntry(
            admittedBy: admittedBy, revision: revisions[flow.pod, default: 0],
            arrival: travel == .ingress ? arrival : nil)
        entry.see(packet, travel)
        entries[flow] = entry
    }

    /// An allowed packet begins something where there is an entry: only one that is over changes its orientation.
    private mutating func begin(_ packet: OraclePacket, _ travel: Direction, _ flow: OracleFlow) {
        guard let entry = entries[flow], !entry.isOver else { return enter(packet, travel, flow, travel) }
        if entry.admittedBy == travel {
            pass(packet, travel, flow)
        } else {
            entries[flow]?.see(packet, travel)
        }
    }

    /// A packet passes in its flow, under the policies of now.
    private mutating func pass(_ packet: OraclePacket, _ travel: Direction, _ flow: OracleFlow) {
        entries[flow]?.revision = revisions[flow.pod, default: 0]
        if travel == .ingress { entries[flow]?.arrival = arrival }
        entries[flow]?.see(packet, travel)
    }

    private static func opposite(_ direction: Direction) -> Direction { direction == .egress ? .ingress : .egress }

    private func need(_ direction: Direction, of pod: Pod) -> np_state_need {
        let policies = policies[pod] ?? [:]
        let derived = (policies[direction] ?? .closed).need(against: policies[Self.opposite(direction)] ?? .closed)
        let least = floors[pod]?[direction] ?? NP_STATE_NEVER
        return derived.rawValue < least.rawValue ? least : derived
    }

    private func askOwn(_ packet: OraclePacket, _ travel: Direction, _ pod: Pod, cameBy: UInt32?) -> np_reason {
        ask(
            travel, of: pod, remote: travel == .egress ? packet.destination : packet.source, cameBy: cameBy,
            protocol: packet.protocol, port: packet.portForPolicy)
    }

    private func askOwn(_ packet: OraclePacket, _ travel: Direction, _ pod: Pod) -> np_reason {
        askOwn(packet, travel, pod, cameBy: arrival)
    }

    /// What the opposite direction says of the packet's answer. The node's answer may come from the node or from behind it.
    private func askMirror(_ packet: OraclePacket, _ travel: Direction, _ pod: Pod) -> np_reason {
        let remote = travel == .egress ? packet.destination : packet.source
        let maybeForwarded = travel == .egress && !packet.isSYNACK && !packet.goesUp
        let ways: [UInt32] = maybeForwarded && PacketWorld.isNode(remote) ? [0, PacketWorld.uplink] : [0]
        let answers = ways.map {
            ask(
                Self.opposite(travel), of: pod, remote: remote, cameBy: $0, protocol: packet.protocol,
                port: packet.mirroredPort)
        }
        return answers.first { $0 != NP_REASON_ALLOWED } ?? NP_REASON_ALLOWED
    }

    private func ask(
        _ direction: Direction, of pod: Pod, remote: IPAddress, cameBy: UInt32?, protocol: UInt8, port: UInt16
    ) -> np_reason {
        var identities = [PacketWorld.identity(of: remote)]
        if direction == .ingress, PacketWorld.isNode(remote), cameBy != 0 {
            identities = [PacketWorld.outsideIdentity(of: remote)]
        }
        if direction == .egress {
            if PacketWorld.isShared(remote) { identities.append(PacketWorld.host) }
            // Nobody says whose a link-local address is.
            if remote.high >> 54 == 0xfe80 >> 6 { identities.append(UInt32(NP_IDENTITY_UNKNOWN)) }
        }
        let policy = policies[pod]?[direction] ?? .closed
        let answers = identities.map { policy.answer(identity: $0, protocol: `protocol`, port: port) }
        switch answers.first(where: { $0 != .allow }) ?? .allow {
        case .allow: return NP_REASON_ALLOWED
        case .denyByRule: return NP_DROP_POLICY_DENY
        case .denyByDefault: return NP_DROP_POLICY_DEFAULT
        case .l7: return NP_DROP_L7_UNAVAILABLE
        }
    }

    /// Whether the packet's source is a local pod's and that pod did not send it.
    private func isForeign(_ source: IPAddress) -> Bool {
        guard let owner = Pod.allCases.first(where: { PacketWorld.addresses(of: $0).contains(source) }) else {
            return false
        }
        return !PacketWorld.links(of: owner).contains(arrival)
    }

    private func judgeAlone(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        if direction == .ingress {
            if arrival == PacketWorld.own { return NP_REASON_HAIRPIN }
            if isForeign(packet.source) { return NP_DROP_FOREIGN_SOURCE }
        }
        return askOwn(packet, direction, pod)
    }

    private mutating func judgeError(_ packet: OraclePacket, _ direction: Direction, _ pod: Pod) -> np_reason {
        guard let embedded = OracleParser.parse(embedded: packet.body, v6: packet.protocol == 58) else {
            return NP_DROP_ICMP_INNER
        }
        let travel = Self.opposite(direction)
        let mine = travel == .egress ? embedded.source : embedded.destination
        guard PacketWorld.addresses(of: pod).contains(mine), embedded.source == packet.destination,
            embedded.kind != .icmpError, embedded.kind != .icmpMessage
        else { return judgeAlone(packet, direction, pod) }
        let flow = OracleFlow(embedded, travel, of: pod)
        if let entry = entries[flow] {
            if entry.revision == revisions[pod] { return NP_REASON_RELATED }
            if entry.admittedBy == .ingress, entry.arrival == PacketWorld.own { return NP_REASON_RELATED }
            let answer = ask(
                entry.admittedBy, of: pod, remote: flow.remote.address, cameBy: entry.arrival,
                protocol: embedded.protocol,
                port: entry.admittedBy == travel ? embedded.destinationPort : embedded.sourcePort)
            guard answer == NP_REASON_ALLOWED else { return answer }
            entries[flow]?.revision = revisions[pod, default: 0]
            return NP_REASON_RELATED
        }
        // Without an entry: would the embedded packet have passed without one?
        let need = need(travel, of: pod)
        if need != NP_STATE_ALWAYS, askOwn(embedded, travel, pod, cameBy: nil) == NP_REASON_ALLOWED,
            need == NP_STATE_NEVER || askMirror(embedded, travel, pod) == NP_REASON_ALLOWED
        {
            return NP_REASON_RELATED
        }
        return judgeAlone(packet, direction, pod)
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
