import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("ICMP errors", .needsRoot)
struct ICMPErrorTests {
    static func error(
        about packet: IPPacket, from source: IPAddress, to destination: IPAddress? = nil, type: UInt8? = nil
    ) -> IPPacket {
        let v6 = !source.isIPv4
        let body = packet.bytes
        return IPPacket(
            source, destination ?? packet.source, v6 ? .icmpv6 : .icmp,
            Transport.icmp(type ?? (v6 ? 2 : 3), code: 0, body: body))
    }

    static func router(v6: Bool) -> IPAddress {
        v6 ? IPAddress(high: 0x2001_0db8_ffff_0000, low: 1) : IPAddress(ipv4: 0xc633_6401)
    }

    @Test(
        "from a router that no policy names, an error about a known flow passes", arguments: SamplePacket.allCases,
        [false, true])
    func known(sample: SamplePacket, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let sent = sample.packet(v6: v6)
            let error = Self.error(about: sent, from: Self.router(v6: v6))
            #expect(try harness.send(error, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            for type in v6 ? [1, 2, 3, 4] : [3, 11, 12] as [UInt8] {
                let error = Self.error(about: sent, from: Self.router(v6: v6), type: type)
                #expect(try harness.send(error, .ingress) == NP_REASON_RELATED, "type \(type)")
            }
            // With just the eight bytes that must be embedded.
            let short = Self.error(
                about: sent.with { $0.payload = Array(sent.payload.prefix(8)) }, from: Self.router(v6: v6))
            #expect(try harness.send(short, .ingress) == NP_REASON_RELATED)
        }
    }

    @Test(
        "D25: path MTU works where the flow passes without state: the router is named by no policy",
        arguments: [false, true])
    func pathMTU(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            // Ingress lets the answers in by themselves, so there is no entry.
            try harness.set(.only(.init(identity: PacketWorld.identityB)), .ingress)
            let sent = SamplePacket.tcp.packet(v6: v6)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.flowCount() == 0)
            #expect(try harness.send(Self.error(about: sent, from: Self.router(v6: v6)), .ingress) == NP_REASON_RELATED)
            // D26: about what the pod may not send, or what could not be answered, it is a message like others.
            let other = sent.with { $0.destination = PacketWorld.address(3, ipv6: v6) }
            #expect(
                try harness.send(Self.error(about: other, from: Self.router(v6: v6)), .ingress)
                    == NP_DROP_POLICY_DEFAULT)
            try harness.set(.only(.init(identity: PacketWorld.identityC)), .egress)
            #expect(
                try harness.send(Self.error(about: sent, from: Self.router(v6: v6)), .ingress) == NP_DROP_POLICY_DEFAULT
            )
            // Where both directions need state, the entry alone speaks for a flow.
            try harness.set(.everything, .egress)
            #expect(
                try harness.send(Self.error(about: sent, from: Self.router(v6: v6)), .ingress) == NP_DROP_POLICY_DEFAULT
            )
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(Self.error(about: sent, from: Self.router(v6: v6)), .ingress) == NP_REASON_RELATED)
        }
    }

    @Test(
        "a pod's own error about a packet it received passes, about anything else it is judged by policy",
        arguments: [false, true])
    func fromPod(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .egress)
            let received = SamplePacket.udp.packet(v6: v6).with {
                ($0.source, $0.destination) = ($0.destination, $0.source)
            }
            let own = PacketWorld.address(1, ipv6: v6)
            let error = Self.error(about: received, from: own)
            #expect(try harness.send(error, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(received, .ingress) == NP_REASON_ALLOWED)
            #expect(try harness.send(error, .egress) == NP_REASON_RELATED)
            let elsewhere = Self.error(about: received, from: own, to: PacketWorld.address(3, ipv6: v6))
            #expect(try harness.send(elsewhere, .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("forged embedded packets do not pass", arguments: [false, true])
    func forged(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let sent = SamplePacket.tcp.packet(v6: v6)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            let router = Self.router(v6: v6)
            let forgeries: [(String, IPPacket)] = [
                ("another source port", sent.with { $0.payload = Transport.tcp(40001, 80, flags: 2) }),
                ("another destination port", sent.with { $0.payload = Transport.tcp(40000, 81, flags: 2) }),
                ("another destination", sent.with { $0.destination = PacketWorld.address(3, ipv6: v6) }),
                ("another protocol", sent.with { $0.protocol = 17 }),
                (
                    "the answer",
                    sent.with {
                        ($0.source, $0.destination) = ($0.destination, $0.source)
                        $0.payload = Transport.tcp(80, 40000, flags: 18)
                    }
                ),
                ("somebody else's packet", sent.with { $0.source = PacketWorld.address(3, ipv6: v6) }),
            ]
            for (name, embedded) in forgeries {
                let error = Self.error(about: embedded, from: router, to: PacketWorld.address(1, ipv6: v6))
                #expect(try harness.send(error, .ingress) == NP_DROP_POLICY_DEFAULT, "\(name)")
            }
            // Nor at the pod at the other end, which has admitted nothing.
            try harness.set(.closed, .ingress, of: .b)
            let other = Self.error(about: sent, from: router, to: PacketWorld.address(2, ipv6: v6))
            #expect(try harness.send(other, .ingress, of: .b) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("an embedded packet that cannot be parsed has its own reason", arguments: [false, true])
    func unparsable(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let sent = SamplePacket.tcp.packet(v6: v6)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            let router = Self.router(v6: v6)
            let header = v6 ? 40 : 20
            for length in 0..<header + 8 {
                let error = IPPacket(
                    router, PacketWorld.address(1, ipv6: v6), v6 ? .icmpv6 : .icmp,
                    Transport.icmp(v6 ? 1 : 3, body: Array(sent.bytes.prefix(length))))
                #expect(try harness.send(error, .ingress) == NP_DROP_ICMP_INNER, "\(length) bytes")
            }
            let later = sent.with { $0.fragment = .init(1, offset: 64, more: false) }
            #expect(try harness.send(Self.error(about: later, from: router), .ingress) == NP_DROP_ICMP_INNER)
            let version = sent.with { $0.claimedVersion = 5 }
            #expect(try harness.send(Self.error(about: version, from: router), .ingress) == NP_DROP_ICMP_INNER)
        }
    }

    @Test("a redirect is judged by policy even about a known flow")
    func redirect() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let sent = SamplePacket.tcp.packet(v6: false)
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            for type in [4, 5] as [UInt8] {
                let error = Self.error(about: sent, from: Self.router(v6: false), type: type)
                #expect(try harness.send(error, .ingress) == NP_DROP_POLICY_DEFAULT, "type \(type)")
            }
        }
    }

    @Test("after a revocation, errors about the flow stop as well", arguments: [false, true])
    func revoked(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let sent = SamplePacket.tcp.packet(v6: v6)
            let error = Self.error(about: sent, from: Self.router(v6: v6))
            #expect(try harness.send(sent, .egress) == NP_REASON_ALLOWED)
            try harness.bump(.a)
            #expect(try harness.send(error, .ingress) == NP_REASON_RELATED)
            let later = FlowTests.tcp(1, 40000, 2, 80, Transport.TCPFlags.ack, v6: v6)
            #expect(try harness.send(later, .egress) == NP_REASON_ESTABLISHED)
            try harness.set(.closed, .egress)
            #expect(try harness.send(error, .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }
}
