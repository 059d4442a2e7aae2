import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// Services without endpoints.
@Suite("a Service without endpoints", .needsRoot)
struct ServiceRefusalTests {
    typealias World = ServiceWorld
    typealias Flags = Transport.TCPFlags

    /// A port unreachable of the Service about a packet, as much of it as fits.
    private static func unreachable(_ packet: IPPacket, v6: Bool) -> IPPacket {
        let most = 128
        let bytes = Array(packet.summedBytes.prefix(min(most, 28 + (packet.summedBytes.count - 28) / 4 * 4)))
        return IPPacket(
            packet.destination, packet.source, v6 ? .icmpv6 : .icmp,
            Transport.icmp(v6 ? 1 : 3, code: v6 ? 4 : 3, body: bytes)
        ).summed
    }

    /// The frame that a refused packet becomes: an IPv4 header is not to be fragmented.
    private static func frame(_ answer: IPPacket) -> [UInt8] {
        var frame = answer.summedFrame
        if answer.source.isIPv4 {
            frame[20] = 0x40
            frame.replaceSubrange(24..<26, with: [0, 0])
            frame.replaceSubrange(24..<26, with: Checksums.internet(Array(frame[14..<34])).bigEndianBytes)
        }
        return frame.turned
    }

    @Test("TCP is reset, as a connection that does not exist", arguments: [false, true])
    func reset(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [])
            for (flags, data) in [(Flags.syn, []), (Flags.ack, [1, 2, 3]), (Flags.fin | Flags.ack, [])]
                as [(UInt8, [UInt8])]
            {
                try harness.renewRefusals()
                let packet = World.packet(
                    .tcp, from: ServiceTests.pod(.a, v6: v6), 40000, to: World.frontend(v6: v6), 80, flags: flags,
                    data: data)
                let refused = try harness.pass(packet, .egress)
                #expect(refused.reason == NP_DROP_NO_BACKEND)
                #expect(refused.returned == NP_ACTION_REDIRECT.rawValue)
                let asks = flags & Flags.ack == 0
                // RFC 9293, 3.5.2: the acknowledged number, or the acknowledgement of all that came.
                var segment = Transport.tcp(80, 40000, flags: asks ? Flags.rst | Flags.ack : Flags.rst)
                segment.replaceSubrange(4..<8, with: UInt32(0).bigEndianBytes)
                segment.replaceSubrange(8..<12, with: UInt32(asks ? 2 : 0).bigEndianBytes)
                segment.replaceSubrange(14..<16, with: [0, 0])
                let reset = IPPacket(World.frontend(v6: v6), ServiceTests.pod(.a, v6: v6), .tcp, segment).summed
                #expect(refused.frame == Self.frame(reset))
                // It comes back, past a policy that allows nothing.
                try harness.set(.closed, .ingress)
                #expect(try harness.pass(reset, .ingress, by: PacketWorld.own).reason == NP_REASON_HAIRPIN)
                try harness.set(.open, .ingress)
            }
            // A reset is not answered.
            let packet = ServiceTests.request(.tcp, v6: v6).with { $0.payload[13] = Flags.rst }.summed
            #expect(try harness.pass(packet, .egress).returned == NP_ACTION_SHOT.rawValue)
            #expect(try harness.flows(of: .a).isEmpty)
        }
    }

    @Test(
        "UDP and SCTP get an ICMP port unreachable with as much of the packet as fits",
        arguments: [.udp, .sctp] as [L4Protocol],
        [false, true])
    func unreachable(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [])
            for size in [0, 1, 5, 40, 99, 200, 1200] {
                try harness.renewRefusals()
                let packet = ServiceTests.request(
                    `protocol`, v6: v6, data: (0..<size).map { UInt8(truncatingIfNeeded: $0) })
                let refused = try harness.pass(packet, .egress)
                #expect(refused.reason == NP_DROP_NO_BACKEND)
                #expect(refused.returned == NP_ACTION_REDIRECT.rawValue)
                let answer = Self.unreachable(packet, v6: v6)
                #expect(refused.frame == Self.frame(answer), "\(size) bytes")
                for policy in [PacketPolicy.open, .closed] {
                    try harness.set(policy, .ingress)
                    let got = try harness.pass(answer, .ingress, by: PacketWorld.own)
                    #expect(got.returned == NP_ACTION_NEXT.rawValue)
                }
            }
        }
    }

    @Test("answers are bounded: what is beyond is dropped without one, and counted alike", arguments: [false, true])
    func bounded(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.udp, at: World.frontend(v6: v6), by: [])
            var answered = 0
            let packets = 2000
            let before = try harness.count(of: NP_DROP_NO_BACKEND)
            let clock = ContinuousClock()
            let begin = clock.now
            for _ in 0..<packets {
                if try harness.run(ServiceTests.request(.udp, v6: v6).summedFrame, .egress, of: .a)
                    == NP_ACTION_REDIRECT.rawValue
                {
                    answered += 1
                }
            }
            let milliseconds = (clock.now - begin) / .milliseconds(1)
            try harness.recount()
            #expect(try harness.count(of: NP_DROP_NO_BACKEND) - before == UInt64(packets))
            // A jiffy is a millisecond at the shortest; the test's thread may be moved to another CPU, which counts by itself.
            #expect(Double(answered) <= (milliseconds + 2) * Double(NP_REFUSALS_PER_JIFFY) * 2)
            #expect(answered > 0)
        }
    }

    @Test("later fragments and policies: nothing but the refusal decides", arguments: [false, true])
    func fragments(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.udp, at: World.frontend(v6: v6), by: [])
            try harness.set(.closed, .egress)
            let whole = ServiceTests.request(.udp, v6: v6, data: [UInt8](repeating: 7, count: 24))
            let first = whole.with {
                $0.payload = Array(whole.payload.prefix(16))
                $0.fragment = .init(9, offset: 0, more: true)
            }
            let later = whole.with {
                $0.payload = Array(whole.payload.dropFirst(16))
                $0.fragment = .init(9, offset: 16, more: false)
            }
            #expect(try harness.pass(first, .egress).returned == NP_ACTION_REDIRECT.rawValue)
            let dropped = try harness.pass(later, .egress)
            #expect(dropped.reason == NP_DROP_NO_BACKEND && dropped.returned == NP_ACTION_SHOT.rawValue)
        }
    }

    @Test(
        "where the last endpoint goes, UDP is refused at its next packet and a connection stays",
        arguments: [false, true])
    func lastEndpoint(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            for `protocol` in World.protocols {
                let number = UInt32(`protocol`.rawValue)
                try harness.serve(`protocol`, at: frontend, by: [.init(backend)], service: number)
                _ = try harness.pass(ServiceTests.request(`protocol`, v6: v6, first: true), .egress)
                var gone = World.Backend(backend)
                gone.flags = 0
                try harness.serve(`protocol`, at: frontend, by: [gone], service: number)
                try harness.serve(`protocol`, at: frontend, by: [], service: number)
                let next = ServiceTests.request(`protocol`, v6: v6)
                let passed = try harness.pass(next, .egress)
                if `protocol` == .udp {
                    #expect(passed.reason == NP_DROP_NO_BACKEND)
                } else {
                    #expect(passed.frame == next.redirected(to: backend, World.targetPort).summedFrame)
                }
                let first = ServiceTests.request(`protocol`, v6: v6, first: true)
                #expect(try harness.pass(first, .egress).reason == NP_DROP_NO_BACKEND)
            }
        }
    }
}
