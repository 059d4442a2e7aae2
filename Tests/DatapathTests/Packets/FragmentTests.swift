import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("fragments", .needsRoot)
struct FragmentTests {
    static func datagram(_ number: UInt32, port: UInt16, v6: Bool) -> [IPPacket] {
        let base = SamplePacket.udp.packet(v6: v6)
        let first = Transport.udp(40000, port, payload: [UInt8](repeating: 1, count: 16))
        let rest = [UInt8](repeating: 2, count: 24)
        return [
            base.with { ($0.payload, $0.fragment) = (first, .init(number, offset: 0, more: true)) },
            base.with { ($0.payload, $0.fragment) = (rest, .init(number, offset: 24, more: true)) },
            base.with { ($0.payload, $0.fragment) = (rest, .init(number, offset: 48, more: false)) },
        ]
    }

    static func isolate(_ harness: PacketHarness) throws {
        try harness.set(.only(.init(protocol: .udp, ports: PortRange(80))), .egress)
        try harness.set(.closed, .ingress)
    }

    @Test("later fragments share the fate of the first", arguments: [false, true])
    func inOrder(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let allowed = try Self.datagram(1, port: 80, v6: v6).map { try harness.send($0, .egress) }
            #expect(allowed == [NP_REASON_ALLOWED, NP_REASON_ESTABLISHED, NP_REASON_ESTABLISHED])
            let denied = try Self.datagram(2, port: 81, v6: v6).map { try harness.send($0, .egress) }
            #expect(denied == [NP_DROP_POLICY_DEFAULT, NP_DROP_POLICY_DEFAULT, NP_DROP_POLICY_DEFAULT])
        }
    }

    @Test("without its first fragment seen before, a later one is dropped", arguments: [false, true])
    func unknown(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let parts = Self.datagram(1, port: 80, v6: v6)
            #expect(try harness.send(parts[2], .egress) == NP_DROP_FRAGMENT_UNKNOWN)
            #expect(try harness.send(parts[1], .egress) == NP_DROP_FRAGMENT_UNKNOWN)
            #expect(try harness.send(parts[0], .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(parts[1], .egress) == NP_REASON_ESTABLISHED)
            // Another datagram, another source, another destination is not the one.
            #expect(try harness.send(Self.datagram(2, port: 80, v6: v6)[1], .egress) == NP_DROP_FRAGMENT_UNKNOWN)
            let elsewhere = parts[1].with { $0.destination = PacketWorld.address(3, ipv6: v6) }
            #expect(try harness.send(elsewhere, .egress) == NP_DROP_FRAGMENT_UNKNOWN)
            #expect(try harness.send(parts[1], .egress, of: .b) == NP_DROP_SPOOFED_SOURCE)
        }
    }

    @Test("a first fragment without its transport header is dropped", arguments: SamplePacket.allCases, [false, true])
    func tiny(sample: SamplePacket, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let whole = sample.packet(v6: v6)
            for length in whole.payload.indices {
                let first = whole.with {
                    $0.payload = Array(whole.payload.prefix(length))
                    $0.fragment = .init(9, offset: 0, more: true)
                }
                #expect(try harness.send(first, .egress) == NP_DROP_FRAGMENT_TINY, "\(length) bytes")
            }
            let first = whole.with { $0.fragment = .init(9, offset: 0, more: true) }
            #expect(try harness.send(first, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("a later fragment that would overwrite the transport header is dropped", arguments: [false, true])
    func overlapping(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.everything, .egress)
            try harness.set(.closed, .ingress)
            let base = SamplePacket.tcp.packet(v6: v6)
            func later(_ offset: UInt16) -> IPPacket {
                base.with {
                    $0.fragment = .init(3, offset: offset, more: false)
                    $0.payload = [UInt8](repeating: 0, count: 24)
                }
            }
            #expect(try harness.send(later(8), .egress) == NP_DROP_FRAGMENT_TINY)
            #expect(try harness.send(later(16), .egress) == NP_DROP_FRAGMENT_TINY)
            #expect(try harness.send(later(24), .egress) == NP_DROP_FRAGMENT_UNKNOWN)
            // With TCP options the header reaches further, and that is remembered.
            let first = base.with {
                $0.fragment = .init(3, offset: 0, more: true)
                $0.payload = Transport.tcp(1, 80, flags: 2, words: 10, options: [UInt8](repeating: 1, count: 20))
            }
            #expect(try harness.send(first, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(later(32), .egress) == NP_DROP_FRAGMENT_TINY)
            #expect(try harness.send(later(40), .egress) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("in IPv6 the first fragment's next header counts, whatever the later ones say")
    func nextHeader() throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let parts = Self.datagram(1, port: 81, v6: true)
            #expect(try harness.send(parts[0], .egress) == NP_DROP_POLICY_DEFAULT)
            let disguised = parts[1].with { $0.protocol = L4Protocol.tcp.rawValue }
            #expect(try harness.send(disguised, .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("an extension header behind the fragment header does not shift the ports out of sight")
    func extensionInside() throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let options: [UInt8] = [17, 0, 1, 4, 0, 0, 0, 0]
            func part(_ payload: [UInt8], _ offset: UInt16, more: Bool) -> IPPacket {
                SamplePacket.udp.packet(v6: true).with {
                    $0.protocol = 60
                    $0.payload = payload
                    $0.fragment = .init(4, offset: offset, more: more)
                }
            }
            let transport = Transport.udp(1, 80)
            #expect(try harness.send(part(options, 0, more: true), .egress) == NP_DROP_FRAGMENT_TINY)
            #expect(try harness.send(part(options + transport, 0, more: true), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(part(transport, 8, more: false), .egress) == NP_DROP_FRAGMENT_TINY)
            #expect(try harness.send(part(transport, 16, more: false), .egress) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("ICMP errors in fragments get no credit for what they embed")
    func errors() throws {
        try PacketHarness.with { harness throws in
            try FlowTests.isolate(harness)
            let sent = SamplePacket.tcp.packet(v6: false)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            let error = IPPacket(PacketWorld.ipv4(254), PacketWorld.ipv4(1), .icmp, Transport.icmp(3, body: sent.bytes))
            #expect(try harness.send(error, .ingress) == NP_REASON_RELATED)
            let fragment = error.with { $0.fragment = .init(8, offset: 0, more: true) }
            #expect(try harness.send(fragment, .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }
}
