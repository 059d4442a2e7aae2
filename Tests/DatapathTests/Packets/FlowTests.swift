import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("flows", .needsRoot)
struct FlowTests {
    typealias Flags = Transport.TCPFlags

    /// Pod A may reach B on TCP 80; nothing may reach A.
    static func isolate(_ harness: PacketHarness) throws {
        try harness.set(
            .only(
                .init(identity: PacketWorld.identityB, protocol: .tcp, ports: PortRange(80)),
                .init(identity: PacketWorld.identityB, protocol: .sctp, ports: PortRange(80)),
                .init(identity: PacketWorld.identityB, protocol: .icmp, ports: PortRange(8)),
                .init(identity: PacketWorld.identityB, protocol: .icmpv6, ports: PortRange(128))), .egress)
        try harness.set(.closed, .ingress)
    }

    static func tcp(
        _ from: UInt32, _ port: UInt16, _ to: UInt32, _ toPort: UInt16, _ flags: UInt8, v6: Bool
    ) -> IPPacket {
        IPPacket(
            PacketWorld.address(from, ipv6: v6), PacketWorld.address(to, ipv6: v6), .tcp,
            Transport.tcp(port, toPort, flags: flags))
    }

    @Test("a connection is allowed once, then established, and its answers pass", arguments: [false, true])
    func connection(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let syn = Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6)
            let ack = Self.tcp(1, 40000, 2, 80, Flags.ack, v6: v6)
            let synAck = Self.tcp(2, 80, 1, 40000, Flags.syn | Flags.ack, v6: v6)
            #expect(try harness.send(synAck, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(syn, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(synAck, .ingress) == NP_REASON_REPLY)
            #expect(try harness.send(ack, .egress) == NP_REASON_ESTABLISHED)
            #expect(try harness.flowCount() == 1)
        }
    }

    @Test("another port, another peer or another protocol is not the flow", arguments: [false, true])
    func neighbours(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            #expect(try harness.send(Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6), .egress) == NP_REASON_ALLOWED)
            for denied in [Self.tcp(1, 40000, 2, 81, Flags.syn, v6: v6), Self.tcp(1, 40000, 3, 80, Flags.syn, v6: v6)] {
                #expect(try harness.send(denied, .egress) == NP_DROP_POLICY_DEFAULT)
            }
            for denied in [Self.tcp(2, 81, 1, 40000, Flags.ack, v6: v6), Self.tcp(3, 80, 1, 40000, Flags.ack, v6: v6)] {
                #expect(try harness.send(denied, .ingress) == NP_DROP_POLICY_DEFAULT)
            }
            let udp = Self.tcp(2, 80, 1, 40000, 0, v6: v6).with { $0.protocol = L4Protocol.udp.rawValue }
            #expect(try harness.send(udp, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.flowCount() == 1)
        }
    }

    @Test("a SYN from the answering side is a new connection, not an answer", arguments: [false, true])
    func reverseSYN(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            _ = try harness.send(Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6), .egress)
            let reverse = Self.tcp(2, 80, 1, 40000, Flags.syn, v6: v6)
            #expect(try harness.send(reverse, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(Self.tcp(2, 80, 1, 40000, Flags.ack, v6: v6), .ingress) == NP_REASON_REPLY)
            try harness.set(.open, .ingress)
            #expect(try harness.send(reverse, .ingress) == NP_REASON_ALLOWED)
        }
    }

    @Test("an SCTP INIT from the answering side is a new association")
    func reverseINIT() throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            func sctp(_ from: UInt32, _ port: UInt16, _ to: UInt32, _ toPort: UInt16, chunk: UInt8) -> IPPacket {
                IPPacket(
                    PacketWorld.ipv4(from), PacketWorld.ipv4(to), .sctp, Transport.sctp(port, toPort, chunk: chunk))
            }
            #expect(try harness.send(sctp(1, 5000, 2, 80, chunk: 1), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(sctp(2, 80, 1, 5000, chunk: 2), .ingress) == NP_REASON_REPLY)
            #expect(try harness.send(sctp(2, 80, 1, 5000, chunk: 1), .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("crafted answers without a question open nothing and leave no entry", arguments: [false, true])
    func answersWithoutQuestion(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            for flags in [Flags.ack, Flags.syn | Flags.ack, Flags.rst, Flags.fin | Flags.ack, 0] {
                #expect(try harness.send(Self.tcp(2, 80, 1, 40000, flags, v6: v6), .ingress) == NP_DROP_POLICY_DEFAULT)
            }
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test("what one pod has admitted opens nothing at the other", arguments: [false, true])
    func poisoning(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            try harness.set(.open, .egress, of: .a)
            try harness.set(.closed, .ingress, of: .b)
            try harness.set(.closed, .egress, of: .b)
            // A makes entries for both orientations of a tuple of B's.
            #expect(
                try harness.send(Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6), .egress, of: .a) == NP_REASON_ALLOWED)
            #expect(
                try harness.send(Self.tcp(1, 40000, 2, 80, Flags.ack, v6: v6), .ingress, of: .b)
                    == NP_DROP_POLICY_DEFAULT)
            #expect(
                try harness.send(Self.tcp(2, 80, 1, 40000, Flags.ack, v6: v6), .egress, of: .b)
                    == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.flowCount() == 1)
        }
    }

    @Test("between two local pods each end decides, in an entry of its own", arguments: [false, true])
    func localPods(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            for pod in PacketWorld.Pod.allCases {
                for direction in Direction.allCases { try harness.set(.everything, direction, of: pod) }
            }
            let syn = Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6)
            let ack = Self.tcp(1, 40000, 2, 80, Flags.ack, v6: v6)
            let answer = Self.tcp(2, 80, 1, 40000, Flags.ack, v6: v6)
            #expect(try harness.send(syn, .egress, of: .a) == NP_REASON_ALLOWED)
            #expect(try harness.send(syn, .ingress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .egress, of: .b) == NP_REASON_REPLY)
            #expect(try harness.send(answer, .ingress, of: .a) == NP_REASON_REPLY)
            #expect(try harness.send(ack, .egress, of: .a) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(ack, .ingress, of: .b) == NP_REASON_ESTABLISHED)
            #expect(try harness.flows(of: .a).count == 1)
            #expect(try harness.flows(of: .b).count == 1)
        }
    }

    @Test("where nothing isolates there is no state: every packet is allowed by itself", arguments: [false, true])
    func stateless(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            for packet in [
                Self.tcp(1, 40000, 2, 80, Flags.syn, v6: v6), Self.tcp(1, 40000, 2, 80, Flags.ack, v6: v6),
                Self.tcp(1, 40000, 2, 80, Flags.fin | Flags.ack, v6: v6),
            ] {
                #expect(try harness.send(packet, .egress, of: .a) == NP_REASON_ALLOWED)
                #expect(try harness.send(packet, .ingress, of: .b) == NP_REASON_ALLOWED)
            }
            let answer = Self.tcp(2, 80, 1, 40000, Flags.ack, v6: v6)
            #expect(try harness.send(answer, .egress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .ingress, of: .a) == NP_REASON_ALLOWED)
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test("a pod that is isolated in one direction has entries for what it opens in the other one only")
    func oneDirection() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.only(.init(protocol: .tcp, ports: PortRange(80))), .ingress, of: .b)
            let syn = Self.tcp(1, 40000, 2, 80, Flags.syn, v6: false)
            let answer = Self.tcp(2, 80, 1, 40000, Flags.syn | Flags.ack, v6: false)
            #expect(try harness.send(syn, .ingress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .egress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.flowCount() == 0)
            let own = Self.tcp(2, 41000, 1, 443, Flags.syn, v6: false)
            let ownAnswer = Self.tcp(1, 443, 2, 41000, Flags.syn | Flags.ack, v6: false)
            #expect(try harness.send(ownAnswer, .ingress, of: .b) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(own, .egress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.send(ownAnswer, .ingress, of: .b) == NP_REASON_REPLY)
            #expect(try harness.flowCount() == 1)
        }
    }

    @Test("pings are answered; answers nobody asked for, and pings back, are judged by their own type")
    func pings() throws {
        for v6 in [false, true] {
            try PacketHarness.with { harness throws in
                try Self.isolate(harness)
                let query: UInt8 = v6 ? 128 : 8
                let answer: UInt8 = v6 ? 129 : 0
                func ping(_ from: UInt32, _ to: UInt32, _ type: UInt8, _ identifier: UInt16) -> IPPacket {
                    IPPacket(
                        PacketWorld.address(from, ipv6: v6), PacketWorld.address(to, ipv6: v6), v6 ? .icmpv6 : .icmp,
                        Transport.icmp(type, identifier: identifier))
                }
                #expect(try harness.send(ping(2, 1, answer, 7), .ingress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(1, 2, query, 7), .egress) == NP_REASON_ALLOWED)
                #expect(try harness.send(ping(2, 1, answer, 7), .ingress) == NP_REASON_REPLY)
                #expect(try harness.send(ping(1, 2, query, 7), .egress) == NP_REASON_ESTABLISHED)
                #expect(try harness.send(ping(2, 1, answer, 8), .ingress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(2, 1, query, 7), .ingress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(1, 2, answer, 7), .egress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(1, 3, query, 7), .egress) == NP_DROP_POLICY_DEFAULT)
                // An identifier that equals the type makes both ends' "ports" alike: still no way back.
                #expect(try harness.send(ping(1, 2, query, UInt16(query)), .egress) == NP_REASON_ALLOWED)
                #expect(try harness.send(ping(2, 1, query, UInt16(query)), .ingress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(1, 2, answer, UInt16(query)), .egress) == NP_DROP_POLICY_DEFAULT)
                #expect(try harness.send(ping(2, 1, answer, UInt16(query)), .ingress) == NP_REASON_REPLY)
            }
        }
    }

    @Test(
        "an answer that comes when its question is forgotten is none, though nobody has collected the entry",
        arguments: [false, true])
    func forgotten(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.set(.only(.init(identity: PacketWorld.identityB, protocol: .udp)), .egress)
            try harness.set(.closed, .ingress)
            let (a, b) = (PacketWorld.address(1, ipv6: v6), PacketWorld.address(2, ipv6: v6))
            let question = IPPacket(a, b, .udp, Transport.udp(40_000, 53))
            let answer = IPPacket(b, a, .udp, Transport.udp(53, 40_000))
            #expect(try harness.send(question, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .ingress) == NP_REASON_REPLY)
            let second = UInt32(1000 >> NP_FLOW_CLOCK_SHIFT) + 1
            for isStale in [false, true] {
                try harness.changeFlows { $0.last_seen &-= 60 * second }
                if isStale { try harness.bump(.a) }
                #expect(try harness.send(answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            }
            // The pod asks again, and is answered.
            #expect(try harness.send(question, .egress) == NP_REASON_REVALIDATED)
            #expect(try harness.send(answer, .ingress) == NP_REASON_REPLY)
        }
    }

    @Test("what a node may take another packet out of does not leave a pod for a node, whatever policies allow")
    func tunnels() throws {
        try PacketHarness.with { harness throws in
            for v6 in [false, true] {
                for number: UInt8 in [4, 41, 47] {
                    func packet(_ to: UInt32) -> IPPacket {
                        IPPacket(
                            PacketWorld.address(1, ipv6: v6), PacketWorld.address(to, ipv6: v6),
                            L4Protocol(rawValue: number), [UInt8](repeating: 0, count: 40))
                    }
                    if v6, number == 41 { continue }
                    #expect(try harness.send(packet(254), .egress) == NP_DROP_TUNNEL, "\(number) \(v6)")
                    #expect(try harness.send(packet(2), .egress) == NP_REASON_ALLOWED, "\(number) \(v6)")
                }
            }
        }
    }
}
