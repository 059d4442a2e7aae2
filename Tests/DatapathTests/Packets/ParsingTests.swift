import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Protocols with a header of their own, as whole packets.
enum SamplePacket: String, CaseIterable {
    case tcp, udp, sctp, icmp

    func packet(v6: Bool) -> IPPacket {
        let (`protocol`, payload): (L4Protocol, [UInt8]) =
            switch self {
            case .tcp: (.tcp, Transport.tcp(40000, 80, flags: Transport.TCPFlags.syn))
            case .udp: (.udp, Transport.udp(40000, 80))
            case .sctp: (.sctp, Transport.sctp(40000, 80, chunk: 1))
            case .icmp: v6 ? (.icmpv6, Transport.icmp(128, identifier: 7)) : (.icmp, Transport.icmp(8, identifier: 7))
            }
        return IPPacket(PacketWorld.address(1, ipv6: v6), PacketWorld.address(2, ipv6: v6), `protocol`, payload)
    }
}

@Suite("parsing", .needsRoot)
struct ParsingTests {
    @Test("a frame cut anywhere is dropped as truncated", arguments: SamplePacket.allCases, [false, true])
    func cutFrames(sample: SamplePacket, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let frame = sample.packet(v6: v6).frame
            for length in Frame.shortest(ofType: frame)..<frame.count {
                #expect(
                    try harness.send(Array(frame.prefix(length)), .egress) == NP_DROP_TRUNCATED, "\(length) bytes")
            }
            #expect(try harness.send(frame, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test(
        "a packet whose own length cuts its transport header is dropped", arguments: SamplePacket.allCases,
        [false, true])
    func cutPackets(sample: SamplePacket, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let whole = sample.packet(v6: v6)
            for length in whole.payload.indices {
                // Once the frame ends there, once padding follows that could be taken for the header.
                let cut = whole.with { $0.payload = Array(whole.payload.prefix(length)) }
                #expect(try harness.send(cut, .egress) == NP_DROP_TRUNCATED, "\(length) bytes")
                let padded = whole.with { $0.claimedLength = UInt16(v6 ? length : 20 + length) }
                #expect(try harness.send(padded, .egress) == NP_DROP_TRUNCATED, "\(length) bytes and padding")
            }
        }
    }

    @Test("headers that contradict themselves are dropped under their own reason")
    func badHeaders() throws {
        let tcp = SamplePacket.tcp.packet(v6: false)
        let tcp6 = SamplePacket.tcp.packet(v6: true)
        var cases: [(String, IPPacket, np_reason)] = []
        for version in UInt8(0)...15 {
            if version != 4 {
                cases.append(("version \(version)", tcp.with { $0.claimedVersion = version }, NP_DROP_BAD_HEADER))
            }
            if version != 6 {
                cases.append(("version \(version)", tcp6.with { $0.claimedVersion = version }, NP_DROP_BAD_HEADER))
            }
        }
        for words in UInt8(0)..<5 {
            cases.append(("IHL \(words)", tcp.with { $0.claimedHeaderWords = words }, NP_DROP_BAD_HEADER))
            cases.append(
                (
                    "data offset \(words)", tcp.with { $0.payload = Transport.tcp(1, 80, flags: 2, words: words) },
                    NP_DROP_BAD_HEADER
                ))
        }
        for words in UInt8(6)...15 {
            cases.append(
                (
                    "data offset \(words)", tcp.with { $0.payload = Transport.tcp(1, 80, flags: 2, words: words) },
                    NP_DROP_TRUNCATED
                ))
        }
        for length in UInt16(0)..<20 {
            cases.append(("total length \(length)", tcp.with { $0.claimedLength = length }, NP_DROP_BAD_HEADER))
        }
        cases.append(("total length 41", tcp.with { $0.claimedLength = 41 }, NP_DROP_TRUNCATED))
        cases.append(("total length 65535", tcp.with { $0.claimedLength = .max }, NP_DROP_TRUNCATED))
        cases.append(("payload length 21", tcp6.with { $0.claimedLength = 21 }, NP_DROP_TRUNCATED))
        cases.append(("payload length 0", tcp6.with { $0.claimedLength = 0 }, NP_DROP_TRUNCATED))
        cases.append(("ICMPv6 in IPv4", tcp.with { $0.protocol = 58 }, NP_DROP_BAD_HEADER))
        cases.append(("ICMP in IPv6", tcp6.with { $0.protocol = 1 }, NP_DROP_BAD_HEADER))
        try PacketHarness.with { harness throws in
            for (name, packet, reason) in cases {
                #expect(try harness.send(packet, .egress) == reason, "\(name)")
            }
        }
    }

    @Test("IPv4-mapped addresses in an IPv6 header never pass for IPv4 ones")
    func mapped() throws {
        try PacketHarness.with { harness throws in
            let bytes = SamplePacket.tcp.packet(v6: true).frame
            let mapped = PacketWorld.ipv4(1).bytes
            for (place, name) in [(22, "source"), (38, "destination")] {
                var frame = bytes
                frame.replaceSubrange(place..<place + 16, with: mapped)
                #expect(try harness.send(frame, .egress) == NP_DROP_BAD_HEADER, "\(name)")
                #expect(try harness.send(frame, .ingress) == NP_DROP_BAD_HEADER, "\(name)")
            }
        }
    }

    @Test("ARP and IP are read, tags and unknown ethertypes are not")
    func ethertypes() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .egress)
            let inside = SamplePacket.tcp.packet(v6: false).bytes
            let cases: [(UInt16, np_reason)] = [
                (Frame.EtherType.arp, NP_DROP_ARP_INVALID), (Frame.EtherType.vlan, NP_DROP_VLAN),
                (Frame.EtherType.serviceVLAN, NP_DROP_VLAN), (0, NP_DROP_ETHERTYPE), (0x0600, NP_DROP_ETHERTYPE),
                (0x8847, NP_DROP_ETHERTYPE), (0x88cc, NP_DROP_ETHERTYPE), (0xffff, NP_DROP_ETHERTYPE),
            ]
            for (type, reason) in cases {
                #expect(try harness.send(Frame.ethernet(type, inside), .egress) == reason, "ethertype \(type)")
            }
        }
    }

    @Test("options do not hide the port", arguments: [false, true])
    func ipv4Options(denied: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.only(.init(protocol: .tcp, ports: PortRange(80))), .egress)
            let port: UInt16 = denied ? 81 : 80
            let expected = denied ? NP_DROP_POLICY_DEFAULT : NP_REASON_ALLOWED
            var source: UInt16 = 1000
            for words in 1...10 {
                let sets: [[UInt8]] = [
                    [UInt8](repeating: 1, count: 4 * words),  // no operation
                    [0] + [UInt8](repeating: 131, count: 4 * words - 1),  // end, then what is no option any more
                    [7, UInt8(4 * words)] + [UInt8](repeating: 4, count: 4 * words - 2),  // record route
                    [1, 68, UInt8(4 * words - 1)] + [UInt8](repeating: 137, count: 4 * words - 3),  // timestamp
                ]
                for options in sets {
                    source += 1
                    let packet = SamplePacket.tcp.packet(v6: false).with {
                        $0.options = options
                        $0.payload = Transport.tcp(source, port, flags: 2)
                    }
                    #expect(try harness.send(packet, .egress) == expected, "options \(options)")
                }
            }
        }
    }

    @Test("source routes and broken options are dropped, wherever they stand")
    func refusedOptions() throws {
        try PacketHarness.with { harness throws in
            for before in 0...33 {
                for route in [131, 137] as [UInt8] {
                    let options = [UInt8](repeating: 1, count: before) + [route, 7, 4, 10, 0, 0, 3]
                    let packet = SamplePacket.tcp.packet(v6: false).with {
                        $0.options = options + [UInt8](repeating: 0, count: (4 - options.count % 4) % 4)
                    }
                    #expect(try harness.send(packet, .egress) == NP_DROP_SOURCE_ROUTE, "\(packet.options)")
                }
            }
            let broken: [[UInt8]] = [
                [7, 0, 0, 0], [7, 1, 0, 0], [7, 5, 0, 0], [1, 1, 1, 7], [7, 3, 0, 68], [1, 7, 4, 0], [7, 255, 0, 0],
            ]
            for options in broken {
                let packet = SamplePacket.tcp.packet(v6: false).with { $0.options = options }
                #expect(try harness.send(packet, .egress) == NP_DROP_BAD_HEADER, "\(options)")
            }
        }
    }
}
