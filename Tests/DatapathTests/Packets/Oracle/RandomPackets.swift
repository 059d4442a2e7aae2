import NetTypes
import NetpoldTestSupport
import PolicyAPI

/// Frames between the ends of `PacketWorld`, most of them well-formed, many mutilated, all from one seed.
struct RandomPackets {
    var random: SplitMix64
    /// Packets sent a while ago, to be sent again, answered, or seen at the other pod.
    private var recent: [(packet: IPPacket, direction: Direction, pod: PacketWorld.Pod)] = []

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func chance(_ oneIn: UInt32) -> Bool { random.next(upperBound: oneIn) == 0 }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: choices.indices, using: &random)]
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }

    /// A frame, and the hook it arrives at.
    mutating func next() -> (frame: [UInt8], direction: Direction, pod: PacketWorld.Pod) {
        if !recent.isEmpty, chance(2) { return again() }
        let pod: PacketWorld.Pod = chance(4) ? .b : .a
        let direction = pick(Direction.allCases)
        if chance(25) { return (arp(), direction, pod) }
        if chance(50) {
            return (Frame.ethernet(pick([0x0806, 0x8100, 0x88a8, 0x8847, 0x0000]), bytes(60)), direction, pod)
        }
        let packet = packet(direction, of: pod, embeds: true)
        if recent.count < 64 {
            recent.append((packet, direction, pod))
        } else {
            recent[Int.random(in: recent.indices, using: &random)] = (packet, direction, pod)
        }
        var frame = packet.frame
        if chance(3) { mutilate(&frame) }
        return (frame, direction, pod)
    }

    /// By which interface a frame comes in: mostly as it should.
    mutating func arrival(of frame: [UInt8]) -> UInt32 {
        if !chance(5) { return PacketWorld.arrival(of: frame) }
        return pick([
            0, 0, PacketWorld.own, PacketWorld.bridge, PacketWorld.uplink, PacketWorld.links(of: .a)[0],
            PacketWorld.links(of: .b)[0],
        ])
    }

    /// ARP, mostly about those who are there.
    private mutating func arp() -> [UInt8] {
        func about(_ generator: inout RandomPackets) -> [UInt8] {
            Array(
                generator.pick([PacketWorld.ipv4(1), PacketWorld.ipv4(2), PacketWorld.ipv4(254), .init(ipv4: 0)]).bytes
                    .suffix(4))
        }
        let sender = about(&self)
        var body: [UInt8] = [0, 1, 8, 0, 6, 4, 0, pick([1, 2])] + (chance(8) ? bytes(6) : Frame.sender) + sender
        body += bytes(6) + (chance(3) ? sender : about(&self))
        if chance(8) { body[Int.random(in: 0..<8, using: &random)] = UInt8.random(in: 0...9, using: &random) }
        if chance(8) { body.removeLast(Int.random(in: 1...28, using: &random)) }
        return Frame.ethernet(Frame.EtherType.arp, body)
    }

    /// The body of a neighbour message behind its first eight bytes.
    private mutating func neighbourBody(_ type: UInt8, _ outer: IPPacket) -> [UInt8] {
        var body: [UInt8] = []
        if type != 133, type != 134 {
            body =
                pick([
                    PacketWorld.ipv6(1), PacketWorld.ipv6(2), outer.source, outer.source, PacketWorld.ipv6(254),
                    PacketWorld.linkLocal, PacketWorld.linkOfSender,
                ]).bytes
        }
        for _ in 0..<pick([0, 1, 1, 2, 9]) {
            switch random.next(upperBound: UInt32(8)) {
            case 0: body += [14, 1] + bytes(6)
            case 1: body += [pick([1, 2])] + [1] + bytes(6)
            case 2: body += [pick([1, 2, 14]), pick([0, 2])] + bytes(pick([6, 14]))
            default: body += [pick([1, 2])] + [1] + Frame.sender
            }
        }
        if chance(8), !body.isEmpty { body.removeLast(Int.random(in: 1...body.count, using: &random)) }
        return body
    }

    /// Something that was sent: the same again, its answer, the other pod's view of it, or an error about it.
    private mutating func again() -> (frame: [UInt8], direction: Direction, pod: PacketWorld.Pod) {
        let (packet, direction, pod) = pick(recent)
        let back: Direction = direction == .egress ? .ingress : .egress
        switch random.next(upperBound: UInt32(4)) {
        case 0: return (packet.frame, direction, pod)
        case 1: return (answer(to: packet).frame, back, pod)
        case 2: return (packet.frame, back, pod == .a ? .b : .a)
        default:
            let v6 = !packet.source.isIPv4
            let from = back == .egress ? packet.destination : address(v6: v6)
            let error = IPPacket(
                v6 == from.isIPv4 ? packet.destination : from, packet.source, v6 ? .icmpv6 : .icmp,
                Transport.icmp(v6 ? 1 : 3, body: packet.bytes))
            return (error.frame, back, pod)
        }
    }

    private mutating func answer(to packet: IPPacket) -> IPPacket {
        var answer = packet
        (answer.source, answer.destination) = (packet.destination, packet.source)
        let isICMP = packet.protocol == 1 || packet.protocol == 58
        if isICMP, let type = packet.payload.first {
            let answers: [UInt8: UInt8] = [8: 0, 13: 14, 128: 129]
            answer.payload[0] = answers[type] ?? type
        } else if packet.payload.count >= 4 {
            answer.payload.swapAt(0, 2)
            answer.payload.swapAt(1, 3)
            if packet.protocol == 6, packet.payload.count > 13, !chance(4) {
                answer.payload[13] = pick([18, 16, 17, 4])
            }
        }
        return answer
    }

    private mutating func mutilate(_ frame: inout [UInt8]) {
        switch random.next(upperBound: UInt32(3)) {
        case 0: frame.removeLast(Int.random(in: 0..<frame.count - 14, using: &random))
        case 1: frame += bytes(Int.random(in: 1...40, using: &random))
        default:
            // Headers only: a flip in a payload tells nothing.
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 12..<min(frame.count, 120), using: &random)
                frame[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        }
    }

    private mutating func address(v6: Bool) -> IPAddress {
        let known = PacketWorld.address(pick([1, 2, 3, 3, 254]), ipv6: v6)
        if !chance(6) { return known }
        return v6
            ? pick([
                PacketWorld.linkLocal, PacketWorld.linkLocal, PacketWorld.linkOfSender, PacketWorld.allNodes,
                PacketWorld.unspecified, PacketWorld.ipv6(253), PacketWorld.shared[1],
                IPAddress(high: 0x2001_0db8_0000_0000, low: 5), IPAddress(high: 0x2a00_0000_0000_0000, low: 9),
            ])
            : pick([
                .init(ipv4: 0xc000_0207), .init(ipv4: 0x0808_0808), .init(ipv4: .max), .init(ipv4: 0xe000_0001),
                PacketWorld.shared[0],
            ])
    }

    private mutating func packet(_ direction: Direction, of pod: PacketWorld.Pod, embeds: Bool) -> IPPacket {
        let v6 = Bool.random(using: &random)
        let own = chance(20) ? address(v6: v6) : PacketWorld.address(pod.rawValue, ipv6: v6)
        let other = address(v6: v6)
        let `protocol`: L4Protocol = pick([
            .tcp, .tcp, .udp, .sctp, v6 ? .icmpv6 : .icmp, .init(rawValue: pick([47, 50, 1, 58])),
        ])
        var packet = IPPacket(direction == .egress ? own : other, direction == .egress ? other : own, `protocol`, [])
        packet.payload = transport(`protocol`, packet, direction, pod, embeds: embeds)
        packet.hopLimit = pick([64, 255, 1, 254])
        if !v6, chance(6) { packet.options = options() }
        if v6, chance(5) { packet.extensions = extensions() }
        if chance(8) { cut(&packet) }
        if chance(40) { packet.claimedLength = UInt16.random(in: 0...200, using: &random) }
        if chance(80) { packet.claimedHeaderWords = UInt8.random(in: 0...15, using: &random) }
        if chance(80) { packet.claimedVersion = UInt8.random(in: 0...15, using: &random) }
        return packet
    }

    private mutating func transport(
        _ protocol: L4Protocol, _ outer: IPPacket, _ direction: Direction, _ pod: PacketWorld.Pod, embeds: Bool
    ) -> [UInt8] {
        let source: UInt16 = pick([1000, 1001, 80, 8, 40000])
        let destination: UInt16 = pick([80, 81, 53, 1000, 1001, 8, 40000, 50000])
        switch `protocol` {
        case .tcp:
            let options = bytes(4 * pick([0, 0, 1, 10]))
            let words = chance(20) ? UInt8.random(in: 0...15, using: &random) : UInt8(5 + options.count / 4)
            return Transport.tcp(
                source, destination, flags: pick([2, 18, 16, 17, 4, 0, 3]), words: words, options: options)
        case .udp: return Transport.udp(source, destination, payload: bytes(pick([0, 8, 30])))
        case .sctp:
            return Transport.sctp(source, destination, chunk: pick([0, 1, 1, 2, 3, 6, 7, 8, 10, 11, 0x41, 0x86, 0xc1]))
        case .icmp, .icmpv6:
            let types: [UInt8] =
                `protocol` == .icmp
                ? [0, 3, 4, 5, 8, 11, 12, 13, 14] : [1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143]
            let type = pick(types)
            var body = bytes(pick([0, 8]))
            if embeds, chance(2) {
                // About a packet that came the other way.
                let back: Direction = direction == .egress ? .ingress : .egress
                body = packet(back, of: pod, embeds: false).bytes
                if chance(4) { body = Array(body.prefix(Int.random(in: 0...body.count, using: &random))) }
            }
            if `protocol` == .icmpv6, (133...137).contains(type), !chance(4) { body = neighbourBody(type, outer) }
            if `protocol` == .icmpv6, [131, 132, 143].contains(type), !chance(4) { body = outer.destination.bytes }
            return Transport.icmp(type, code: pick([0, 0, 0, 1]), identifier: pick([1000, 8, 128]), body: body)
        default: return bytes(pick([0, 4, 40]))
        }
    }

    private mutating func options() -> [UInt8] {
        let words = Int.random(in: 1...10, using: &random)
        var options: [UInt8] = []
        while options.count < 4 * words {
            let left = 4 * words - options.count
            switch random.next(upperBound: UInt32(8)) {
            case 0: options += [UInt8](repeating: 0, count: left)
            case 1 where left >= 3: options += [pick([131, 137])] + [3, 4]
            case 2: options += bytes(1)
            case 3...5 where left >= 4:
                let length = Int.random(in: 2...left, using: &random)
                options += [pick([7, 68, 148, 130]), UInt8(length)] + bytes(length - 2)
            default: options.append(1)
            }
        }
        return options
    }

    private mutating func extensions() -> [(type: UInt8, rest: [UInt8])] {
        (0..<pick([1, 1, 2, 3, 8, 9])).map { index in
            switch random.next(upperBound: UInt32(8)) {
            case 0 where index == 0 || chance(10): return (0, [0] + bytes(6))
            case 1: return (43, [0, 4, chance(6) ? 1 : 0] + bytes(4))
            case 2: return (51, [1] + bytes(10))
            case 3: return (60, [1] + bytes(14))
            case 4 where chance(4): return (44, [0, 0, UInt8(pick([0, 1, 8])), 0, 0, 0, UInt8(pick([1, 2]))])
            case 5 where chance(10): return (pick([60, 43, 51]), bytes(7))
            default: return (60, [0] + bytes(6))
            }
        }
    }

    /// Makes a fragment of the packet: its head, a later part, or an impossible one.
    private mutating func cut(_ packet: inout IPPacket) {
        let offset: UInt16 = pick([0, 0, 8, 16, 24, 32, 64])
        packet.fragment = .init(UInt32(pick([1, 2, 3])), offset: offset, more: chance(2))
        if offset > 0 { packet.payload = bytes(24) }
        if chance(6) { packet.payload = Array(packet.payload.prefix(pick([0, 4, 8, 12, 19]))) }
    }
}
