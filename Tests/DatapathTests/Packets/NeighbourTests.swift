import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("ARP and neighbour discovery speak for the pod only", .needsRoot)
struct NeighbourTests {
    private static let own = PacketWorld.ipv4(1)
    private static let other = PacketWorld.ipv4(2)
    private static let nobody = IPAddress(ipv4: 0)
    private static let foreignMAC: [UInt8] = [2, 0, 0, 0, 0, 9]

    /// An ARP frame; `start` is the first eight bytes.
    static func arp(
        _ operation: UInt8 = 1, from sender: IPAddress, mac: [UInt8] = Frame.sender, about target: IPAddress,
        start: [UInt8]? = nil
    ) -> [UInt8] {
        let head = start ?? [0, 1, 8, 0, 6, 4, 0, operation]
        return Frame.ethernet(
            Frame.EtherType.arp, head + mac + sender.bytes.suffix(4) + [0, 0, 0, 0, 0, 0] + target.bytes.suffix(4))
    }

    @Test(
        "what a pod may say by ARP: requests, answers, probes and announcements of its own address, from its own frame")
    func arpFromPod() throws {
        func padding(_ count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }
        let cases: [(String, [UInt8], np_reason)] = [
            ("request", Self.arp(from: Self.own, about: Self.other), NP_REASON_ARP),
            ("answer", Self.arp(2, from: Self.own, about: Self.other), NP_REASON_ARP),
            ("probe", Self.arp(from: Self.nobody, about: Self.own), NP_REASON_ARP),
            ("announcement", Self.arp(from: Self.own, about: Self.own), NP_REASON_ARP),
            ("announcement as an answer", Self.arp(2, from: Self.own, about: Self.own), NP_REASON_ARP),
            ("with a message", Self.arp(from: Self.own, about: Self.other) + padding(19), NP_DROP_ARP_INVALID),
            ("another pod's announcement", Self.arp(from: Self.other, about: Self.other), NP_DROP_ARP_SPOOFED),
            ("an answer for another pod", Self.arp(2, from: Self.other, about: Self.own), NP_DROP_ARP_SPOOFED),
            (
                "an answer for the node", Self.arp(2, from: PacketWorld.ipv4(254), about: Self.other),
                NP_DROP_ARP_SPOOFED
            ),
            ("an answer without sender", Self.arp(2, from: Self.nobody, about: Self.other), NP_DROP_ARP_SPOOFED),
            (
                "another's frame", Self.arp(from: Self.own, mac: Self.foreignMAC, about: Self.other),
                NP_DROP_ARP_SPOOFED
            ),
            (
                "a probe with another's frame", Self.arp(from: Self.nobody, mac: Self.foreignMAC, about: Self.own),
                NP_DROP_ARP_SPOOFED
            ),
        ]
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .egress)
            for (name, frame, reason) in cases {
                #expect(try harness.send(frame, .egress) == reason, "\(name)")
                #expect(
                    try harness.send(frame + [UInt8](repeating: 0, count: 18), .egress) == reason, "\(name), padded")
                // What is behind the message is nobody's, wherever it is.
                for count in 1...18 where reason == NP_REASON_ARP {
                    for place in Set([0, count / 2, count - 1]) {
                        var end = [UInt8](repeating: 0, count: count)
                        #expect(try harness.send(frame + end, .egress) == reason, "\(name), \(count)")
                        end[place] = 1
                        #expect(
                            try harness.send(frame + end, .egress) == NP_DROP_ARP_INVALID,
                            "\(name), \(place) of \(count)")
                    }
                }
            }
        }
    }

    @Test("what reaches a pod by ARP: what is about its address, and announcements of those who may make them")
    func arpToPod() throws {
        let (linkB, uplink) = (PacketWorld.links(of: .b)[0], PacketWorld.uplink)
        let cases: [(String, [UInt8], UInt32, np_reason)] = [
            ("request", Self.arp(from: Self.other, about: Self.own), linkB, NP_REASON_ARP),
            ("request over the bridge", Self.arp(from: Self.other, about: Self.own), PacketWorld.bridge, NP_REASON_ARP),
            ("probe", Self.arp(from: Self.nobody, about: Self.own), uplink, NP_REASON_ARP),
            ("request of the node", Self.arp(from: PacketWorld.ipv4(254), about: Self.own), 0, NP_REASON_ARP),
            (
                "answer of the node for another (proxy)", Self.arp(2, from: Self.other, about: Self.own), 0,
                NP_REASON_ARP
            ),
            ("request for another", Self.arp(from: Self.other, about: PacketWorld.ipv4(3)), linkB, NP_DROP_ARP_TARGET),
            ("probe of another", Self.arp(from: Self.nobody, about: Self.other), linkB, NP_DROP_ARP_TARGET),
            ("announcement", Self.arp(from: Self.other, about: Self.other), linkB, NP_REASON_ARP),
            (
                "announcement from outside", Self.arp(from: PacketWorld.ipv4(77), about: PacketWorld.ipv4(77)), uplink,
                NP_REASON_ARP
            ),
            ("a pod's from elsewhere", Self.arp(from: Self.other, about: Self.other), uplink, NP_DROP_FOREIGN_SOURCE),
            (
                "an answer from elsewhere", Self.arp(2, from: Self.other, about: Self.own), uplink,
                NP_DROP_FOREIGN_SOURCE
            ),
            (
                "the node's from elsewhere",
                Self.arp(from: PacketWorld.ipv4(254), about: PacketWorld.ipv4(254)), linkB, NP_DROP_FOREIGN_SOURCE
            ),
            ("the pod's own from elsewhere", Self.arp(from: Self.own, about: Self.own), linkB, NP_DROP_FOREIGN_SOURCE),
        ]
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            for (name, frame, arrival, reason) in cases {
                #expect(try harness.send(frame, .ingress, by: arrival) == reason, "\(name)")
            }
        }
    }

    @Test("ARP of other hardware, protocols and operations, in tags, or cut at any byte is dropped under a name")
    func strangeARP() throws {
        let usual: [UInt8] = [0, 1, 8, 0, 6, 4, 0, 1]
        try PacketHarness.with { harness throws in
            for place in usual.indices {
                for value in [0, 1, 2, 3, 4, 5, 6, 8, 9, 0x86, 255] as [UInt8] {
                    var start = usual
                    start[place] = value
                    if start == usual || start == [0, 1, 8, 0, 6, 4, 0, 2] { continue }
                    let frame = Self.arp(from: Self.own, about: Self.own, start: start)
                    for direction in Direction.allCases {
                        #expect(
                            try harness.send(frame, direction, by: 11) == NP_DROP_ARP_INVALID,
                            "byte \(place) is \(value), \(direction)")
                    }
                }
            }
            let whole = Self.arp(from: Self.own, about: Self.own)
            for length in Frame.headerBytes..<whole.count {
                for direction in Direction.allCases {
                    let cut = Array(whole.prefix(length))
                    #expect(try harness.send(cut, direction, by: 11) == NP_DROP_TRUNCATED, "\(length), \(direction)")
                }
            }
            let inTag: [UInt8] = Array(whole.prefix(12)) + [0x81, 0x00, 0x00, 0x07] + whole.dropFirst(12)
            #expect(try harness.send(inTag, .egress) == NP_DROP_VLAN)
            let reverse = Frame.ethernet(0x8035, Array(whole.dropFirst(14)))
            #expect(try harness.send(reverse, .egress) == NP_DROP_ETHERTYPE)
        }
    }

    // MARK: neighbour discovery

    private static let own6 = PacketWorld.ipv6(1)
    private static let other6 = PacketWorld.ipv6(2)
    private static let none6 = PacketWorld.unspecified
    private static let ownLink = PacketWorld.linkOfSender
    /// Made of `foreignMAC`.
    private static let foreignLink = IPAddress(high: 0xfe80 << 48, low: 0x0000_00ff_fe00_0009)
    private static let ownOption: [UInt8] = [2, 1] + Frame.sender
    private static let foreignOption: [UInt8] = [2, 1] + foreignMAC
    private static let nonce: [UInt8] = [14, 1, 1, 2, 3, 4, 5, 6]

    static func message(
        _ type: UInt8, from source: IPAddress, about target: IPAddress?,
        to destination: IPAddress = PacketWorld.allNodes,
        options: [UInt8] = []
    ) -> IPPacket {
        IPPacket(source, destination, .icmpv6, Transport.icmp(type, body: (target?.bytes ?? []) + options))
            .with { $0.hopLimit = 255 }
    }

    @Test("what a pod may say by neighbour discovery")
    func neighboursFromPod() throws {
        let (passes, spoofed) = (NP_REASON_NEIGHBOUR_DISCOVERY, NP_DROP_NEIGHBOUR_SPOOFED)
        let source = [UInt8(1)] + Self.ownOption.dropFirst()
        let foreignSource = [UInt8(1)] + Self.foreignOption.dropFirst()
        let cases: [(String, IPPacket, np_reason)] = [
            ("question", Self.message(135, from: Self.own6, about: Self.other6, options: source), passes),
            (
                "question to the neighbour", Self.message(135, from: Self.own6, about: Self.other6, to: Self.other6),
                passes
            ),
            ("question by link", Self.message(135, from: Self.ownLink, about: Self.other6, options: source), passes),
            ("duplicate detection", Self.message(135, from: Self.none6, about: Self.own6, options: Self.nonce), passes),
            ("duplicate detection, link", Self.message(135, from: Self.none6, about: Self.ownLink), passes),
            ("router question", Self.message(133, from: Self.ownLink, about: nil, options: source), passes),
            ("router question, no address", Self.message(133, from: Self.none6, about: nil), passes),
            ("answer", Self.message(136, from: Self.own6, about: Self.own6, options: Self.ownOption), passes),
            (
                "answer to who asked", Self.message(136, from: Self.own6, about: Self.own6, to: Self.other6), passes
            ),
            (
                "answer, link", Self.message(136, from: Self.ownLink, about: Self.ownLink, options: Self.ownOption),
                passes
            ),
            (
                "answer, link of its own choice", Self.message(136, from: Self.own6, about: PacketWorld.linkLocal),
                passes
            ),
            ("answer for another", Self.message(136, from: Self.own6, about: Self.other6), spoofed),
            ("answer for the node", Self.message(136, from: Self.own6, about: PacketWorld.ipv6(254)), spoofed),
            ("answer for another's link", Self.message(136, from: Self.own6, about: Self.foreignLink), spoofed),
            ("answer for a group", Self.message(136, from: Self.own6, about: PacketWorld.allNodes), spoofed),
            (
                "answer with another's frame",
                Self.message(136, from: Self.own6, about: Self.own6, options: Self.foreignOption), spoofed
            ),
            (
                "behind another option",
                Self.message(136, from: Self.own6, about: Self.own6, options: Self.nonce + Self.foreignOption), spoofed
            ),
            (
                "question with another's frame",
                Self.message(135, from: Self.own6, about: Self.other6, options: foreignSource), spoofed
            ),
            (
                "router question with another's frame",
                Self.message(133, from: Self.own6, about: nil, options: foreignSource), spoofed
            ),
            ("duplicate detection for another", Self.message(135, from: Self.none6, about: Self.other6), spoofed),
            (
                "duplicate detection with a frame",
                Self.message(135, from: Self.none6, about: Self.own6, options: source), spoofed
            ),
            (
                "longer address",
                Self.message(136, from: Self.own6, about: Self.own6, options: [2, 2] + Frame.sender + Self.nonce),
                spoofed
            ),
            (
                "empty option",
                Self.message(136, from: Self.own6, about: Self.own6, options: [2, 0] + Frame.sender), NP_DROP_BAD_HEADER
            ),
            (
                "an option of another kind",
                Self.message(135, from: Self.own6, about: Self.other6, options: [253, 1, 1, 2, 3, 4, 5, 6]),
                NP_DROP_BAD_HEADER
            ),
            (
                "a long nonce",
                Self.message(
                    135, from: Self.own6, about: Self.other6, options: [14, 2] + Array(repeating: 7, count: 14)),
                NP_DROP_BAD_HEADER
            ),
            (
                "too many options",
                Self.message(
                    136, from: Self.own6, about: Self.own6, options: Array(repeatElement(Self.nonce, count: 3).joined())
                ),
                NP_DROP_BAD_HEADER
            ),
            ("from another", Self.message(136, from: Self.other6, about: Self.own6), NP_DROP_SPOOFED_SOURCE),
            (
                "from another's link", Self.message(135, from: Self.foreignLink, about: Self.other6),
                NP_DROP_SPOOFED_SOURCE
            ),
            ("answer without source", Self.message(136, from: Self.none6, about: Self.own6), NP_DROP_SPOOFED_SOURCE),
        ]
        try PacketHarness.with { harness throws in
            // Not even a policy that allows everything lets a pod speak for others.
            for policy in [PacketPolicy.closed, .open] {
                try harness.set(policy, .egress)
                for (name, packet, reason) in cases {
                    #expect(try harness.send(packet, .egress) == reason, "\(name)")
                    // Behind an extension header it is found as well.
                    if reason == passes {
                        for count in [1, 300] {
                            let longer = packet.frame + [UInt8](repeating: 0, count: count)
                            #expect(
                                try harness.send(longer, .egress) == NP_DROP_BAD_HEADER,
                                "\(name), \(count) bytes behind")
                        }
                    }
                    let extended = packet.with { $0.extensions = [(60, [0, 1, 4, 0, 0, 0, 0])] }
                    #expect(try harness.send(extended, .egress) == reason, "\(name), extended")
                }
            }
        }
    }

    @Test("neighbour discovery cut at any byte is dropped as such")
    func cutNeighbours() throws {
        let whole = Self.message(136, from: Self.own6, about: Self.own6, options: Self.nonce + Self.ownOption)
        let bounds = [24, 32, 40]
        try PacketHarness.with { harness throws in
            for length in 8..<whole.payload.count {
                // Short by its own length field; complete up to an option it is another message.
                let cut = whole.with { $0.payload = Array($0.payload.prefix(length)) }
                let reason = bounds.contains(length) ? NP_REASON_NEIGHBOUR_DISCOVERY : NP_DROP_TRUNCATED
                #expect(try harness.send(cut, .egress) == reason, "\(length) of \(whole.payload.count)")
                #expect(
                    try harness.send(Array(whole.frame.dropLast(whole.payload.count - length)), .egress)
                        == NP_DROP_TRUNCATED)
                let target = cut.with { $0.payload = Array($0.payload.prefix(24)) }
                #expect(
                    try harness.send(target, .ingress, by: 11)
                        == (length < 24 ? NP_DROP_TRUNCATED : NP_REASON_NEIGHBOUR_DISCOVERY))
            }
        }
    }

    @Test("to a pod, only the node speaks for the node, and only a pod's own interface for the pod")
    func neighboursToPod() throws {
        let (linkB, uplink) = (PacketWorld.links(of: .b)[0], PacketWorld.uplink)
        let cases: [(String, IPPacket, UInt32, np_reason)] = [
            (
                "of the neighbour", Self.message(136, from: Self.other6, about: Self.other6), linkB,
                NP_REASON_NEIGHBOUR_DISCOVERY
            ),
            (
                "of the node", Self.message(136, from: PacketWorld.ipv6(254), about: PacketWorld.ipv6(254)), 0,
                NP_REASON_NEIGHBOUR_DISCOVERY
            ),
            (
                "of the node for a pod", Self.message(136, from: PacketWorld.linkLocal, about: Self.other6), 0,
                NP_REASON_NEIGHBOUR_DISCOVERY
            ),
            (
                "of others", Self.message(136, from: PacketWorld.linkLocal, about: PacketWorld.ipv6(77)), uplink,
                NP_REASON_NEIGHBOUR_DISCOVERY
            ),
            (
                "duplicate detection", Self.message(135, from: Self.none6, about: Self.own6), uplink,
                NP_REASON_NEIGHBOUR_DISCOVERY
            ),
            (
                "for a pod, from elsewhere", Self.message(136, from: PacketWorld.linkLocal, about: Self.other6), uplink,
                NP_DROP_FOREIGN_SOURCE
            ),
            (
                "for the node, from elsewhere",
                Self.message(136, from: PacketWorld.linkLocal, about: PacketWorld.ipv6(254)), linkB,
                NP_DROP_FOREIGN_SOURCE
            ),
            (
                "as a pod, from elsewhere", Self.message(135, from: Self.other6, about: Self.own6), uplink,
                NP_DROP_FOREIGN_SOURCE
            ),
            (
                "as the node, from elsewhere", Self.message(134, from: PacketWorld.ipv6(254), about: nil), uplink,
                NP_DROP_FOREIGN_SOURCE
            ),
        ]
        try PacketHarness.with { harness throws in
            for (name, packet, arrival, reason) in cases {
                #expect(try harness.send(packet, .ingress, by: arrival) == reason, "\(name)")
                if reason == NP_REASON_NEIGHBOUR_DISCOVERY {
                    #expect(
                        try harness.send(packet.frame + [0], .ingress, by: arrival) == NP_DROP_BAD_HEADER,
                        "\(name), a byte behind")
                }
            }
        }
    }
}
