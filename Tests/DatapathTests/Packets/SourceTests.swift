import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("source addresses and neighbour discovery", .needsRoot)
struct SourceTests {
    @Test("a pod sends from its own addresses only", arguments: [false, true])
    func spoofed(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let packet = SamplePacket.udp.packet(v6: v6)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            let foreign: [IPAddress] =
                v6
                ? [
                    PacketWorld.ipv6(2), PacketWorld.ipv6(254), PacketWorld.unspecified, PacketWorld.linkLocal,
                    PacketWorld.allNodes, IPAddress(high: 0, low: 1), IPAddress(high: 0xfd00_0000_0000_0001, low: 1),
                ]
                : [
                    PacketWorld.ipv4(2), PacketWorld.ipv4(254), .init(ipv4: 0), .init(ipv4: 0x7f00_0001),
                    .init(ipv4: .max),
                ]
            for source in foreign {
                let spoofed = packet.with { $0.source = source }
                #expect(try harness.send(spoofed, .egress) == NP_DROP_SPOOFED_SOURCE, "\(source)")
            }
        }
    }

    /// An ICMPv6 message of A's link; neighbour messages are about A.
    static func message(
        _ type: UInt8, from source: IPAddress, to destination: IPAddress, hopLimit: UInt8, code: UInt8 = 0
    ) -> IPPacket {
        let body = type == 133 ? [] : PacketWorld.ipv6(1).bytes
        return IPPacket(source, destination, .icmpv6, Transport.icmp(type, code: code, body: body))
            .with { $0.hopLimit = hopLimit }
    }

    static let neighbourTypes: [UInt8] = [133, 134, 135, 136, 137]
    static let listenerTypes: [UInt8] = [131, 132, 143]

    /// Reports of a pod about a group, of the older version and of this one.
    static func reports(_ group: IPAddress) -> [(String, IPPacket)] {
        func report(_ type: UInt8, to destination: IPAddress, _ body: [UInt8]) -> IPPacket {
            IPPacket(PacketWorld.linkLocal, destination, .icmpv6, Transport.icmp(type, body: body))
                .with { $0.hopLimit = 1 }
        }
        let record = [4, 0, 0, 0] + group.bytes
        let all = IPAddress(high: 0xff02 << 48, low: 0x16)
        return [
            ("joined", report(131, to: group, group.bytes)),
            ("left", report(132, to: IPAddress(high: 0xff02 << 48, low: 2), group.bytes)),
            ("report", report(143, to: all, record)),
            ("of 16 groups", report(143, to: all, Array(repeatElement(record, count: 16).joined()))),
        ]
    }

    @Test("a pod's listener report carries nothing but groups")
    func reports() throws {
        let group = IPAddress(high: 0xff15 << 48, low: 9)
        let foreign = IPAddress(high: 0xfe80 << 48, low: 0x0000_00ff_fe00_0009)
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            try harness.set(.closed, .egress)
            for (name, sent) in Self.reports(group) {
                #expect(try harness.send(sent, .egress) == NP_REASON_NEIGHBOUR_DISCOVERY, "\(name)")
                let refused: [(String, IPPacket)] = [
                    ("longer", sent.with { $0.payload += Array(repeating: 7, count: 304) }),
                    ("to another group", sent.with { $0.destination = PacketWorld.allNodes }),
                    ("to one of the world", sent.with { $0.destination = IPAddress(high: 0xff0e << 48, low: 9) }),
                    ("to a pod", sent.with { $0.destination = PacketWorld.ipv6(2) }),
                    ("from another's link", sent.with { $0.source = foreign }),
                    ("with hops left", sent.with { $0.hopLimit = 2 }),
                ]
                for (what, packet) in refused {
                    #expect(try harness.send(packet, .egress) == NP_DROP_SPOOFED_SOURCE, "\(name), \(what)")
                }
                #expect(try harness.send(sent.frame + [1], .egress) == NP_DROP_BAD_HEADER, "\(name), bytes behind")
                for arrival in [PacketWorld.links(of: .b)[0], PacketWorld.uplink, 0] {
                    #expect(
                        try harness.send(sent, .ingress, by: arrival) == NP_REASON_NEIGHBOUR_DISCOVERY,
                        "\(name), by \(arrival)")
                }
            }
            // The older version names one group, the one that it goes to, and is of one length.
            let joined = Self.reports(group)[0].1
            for count in [0, 1, 15, 17, 32] {
                let body = [UInt8](repeating: 0xff, count: count)
                let other = joined.with { $0.payload = Transport.icmp(131, body: body) }
                #expect(try harness.send(other, .egress) == NP_DROP_SPOOFED_SOURCE, "\(count)")
            }
        }
    }

    @Test("with everything denied both ways, neighbour discovery and listener reports work")
    func allowed() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            try harness.set(.closed, .egress)
            let group = IPAddress(high: 0xff02_0000_0000_0000, low: 0x16)
            for type in [133, 135, 136] as [UInt8] {
                // Advertisements have a source (RFC 4861 7.1.2).
                let none = type == 136 ? [] : [PacketWorld.unspecified]
                for source in [PacketWorld.linkLocal, PacketWorld.ipv6(1)] + none {
                    for destination in [
                        PacketWorld.allNodes, PacketWorld.linkLocal, PacketWorld.ipv6(254), PacketWorld.ipv6(253),
                    ] {
                        let sent = Self.message(type, from: source, to: destination, hopLimit: 255)
                        #expect(
                            try harness.send(sent, .egress) == NP_REASON_NEIGHBOUR_DISCOVERY,
                            "\(type) to \(destination)")
                    }
                }
            }
            for type in Self.neighbourTypes {
                let received = Self.message(type, from: PacketWorld.linkLocal, to: PacketWorld.ipv6(1), hopLimit: 255)
                #expect(try harness.send(received, .ingress, by: 0) == NP_REASON_NEIGHBOUR_DISCOVERY, "\(type)")
            }
            for (name, sent) in Self.reports(group) {
                for source in [PacketWorld.linkLocal, PacketWorld.linkOfSender, PacketWorld.unspecified] {
                    let sent = sent.with { $0.source = source }
                    #expect(try harness.send(sent, .egress) == NP_REASON_NEIGHBOUR_DISCOVERY, "\(name)")
                }
            }
            let query = Self.message(130, from: PacketWorld.linkLocal, to: PacketWorld.allNodes, hopLimit: 1)
            #expect(try harness.send(query, .ingress) == NP_REASON_NEIGHBOUR_DISCOVERY)
        }
    }

    @Test("the exception leaks nothing: hop limit, destination, code, type and fragments are strict")
    func strict() throws {
        let own = PacketWorld.ipv6(1)
        let local = PacketWorld.linkLocal
        let far = PacketWorld.ipv6(3)
        var fromPod: [(String, IPPacket, np_reason)] = [
            ("to another pod", Self.message(135, from: own, to: far, hopLimit: 255), NP_DROP_POLICY_DEFAULT),
            (
                "to another node", Self.message(135, from: own, to: PacketWorld.ipv6(252), hopLimit: 255),
                NP_DROP_POLICY_DEFAULT
            ),
            (
                "from a link address to another pod", Self.message(135, from: local, to: far, hopLimit: 255),
                NP_DROP_SPOOFED_SOURCE
            ),
            (
                "from elsewhere", Self.message(135, from: far, to: PacketWorld.allNodes, hopLimit: 255),
                NP_DROP_SPOOFED_SOURCE
            ),
            (
                "with a code", Self.message(135, from: own, to: PacketWorld.allNodes, hopLimit: 255, code: 1),
                NP_DROP_POLICY_DEFAULT
            ),
            ("a report to a host", Self.message(143, from: local, to: far, hopLimit: 1), NP_DROP_SPOOFED_SOURCE),
            (
                "a report with hops left", Self.message(143, from: local, to: PacketWorld.allNodes, hopLimit: 2),
                NP_DROP_SPOOFED_SOURCE
            ),
            (
                "a report from a routed address", Self.message(143, from: own, to: PacketWorld.allNodes, hopLimit: 1),
                NP_DROP_POLICY_DEFAULT
            ),
        ]
        // A pod is no router and no querier.
        for type in [134, 137, 130] as [UInt8] {
            for limit in [1, 255] as [UInt8] {
                fromPod.append(
                    (
                        "type \(type)", Self.message(type, from: local, to: PacketWorld.allNodes, hopLimit: limit),
                        NP_DROP_SPOOFED_SOURCE
                    ))
            }
        }
        for limit in [0, 1, 64, 254] as [UInt8] {
            fromPod.append(
                (
                    "hop limit \(limit)", Self.message(135, from: own, to: PacketWorld.allNodes, hopLimit: limit),
                    NP_DROP_POLICY_DEFAULT
                ))
        }
        let first = Self.message(135, from: own, to: PacketWorld.allNodes, hopLimit: 255)
            .with { $0.fragment = .init(5, offset: 0, more: true) }
        fromPod.append(("in fragments", first, NP_DROP_POLICY_DEFAULT))

        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            try harness.set(.closed, .egress)
            for (name, packet, reason) in fromPod {
                #expect(try harness.send(packet, .egress) == reason, "\(name)")
            }
            for type in Self.neighbourTypes {
                let routed = Self.message(type, from: far, to: own, hopLimit: 254)
                #expect(try harness.send(routed, .ingress) == NP_DROP_POLICY_DEFAULT, "\(type) routed")
            }
            let report = Self.message(143, from: far, to: own, hopLimit: 1)
            #expect(try harness.send(report, .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }
}
