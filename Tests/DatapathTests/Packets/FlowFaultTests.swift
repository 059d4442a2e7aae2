import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// Faults that were found with raw packets, each by name.
@Suite("faults of flows that stay away", .needsRoot)
struct FlowFaultTests {
    typealias Flags = Transport.TCPFlags
    private static let toWeb = PacketPolicy.only(
        .init(identity: PacketWorld.identityB, protocol: .tcp, ports: PortRange(80)))
    private static let syn = FlowTests.tcp(1, 40000, 2, 80, Flags.syn, v6: false)
    private static let request = FlowTests.tcp(1, 40000, 2, 80, Flags.ack, v6: false)
    private static let answer = FlowTests.tcp(2, 80, 1, 40000, Flags.ack, v6: false)
    private static let reverseSYN = FlowTests.tcp(2, 80, 1, 40000, Flags.syn, v6: false)

    private static func udp(_ from: UInt32, _ port: UInt16, _ to: UInt32, _ toPort: UInt16) -> IPPacket {
        IPPacket(PacketWorld.ipv4(from), PacketWorld.ipv4(to), .udp, Transport.udp(port, toPort))
    }

    @Test("a flood of one-packet flows that the receiver denies makes no entry and evicts nobody's connection")
    func deniedFlood() throws {
        try PacketHarness.with { harness throws in
            try harness.set(Self.toWeb, .egress)
            try harness.set(.closed, .ingress)
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REPLY)
            for port in 1...6000 as ClosedRange<UInt16> {
                _ = try harness.run(Self.udp(3, port, 1, 9).frame, .ingress, of: .a)
                _ = try harness.run(FlowTests.tcp(3, port, 1, 9, Flags.syn, v6: false).frame, .ingress, of: .a)
                _ = try harness.run(FlowTests.tcp(3, port, 1, 9, Flags.ack, v6: false).frame, .ingress, of: .a)
            }
            try harness.recount()
            #expect(try harness.flowCount() == 1)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REPLY, "data of the server comes first")
        }
    }

    @Test("a flood of flows that pass stays in its pod's region, and does not push out what was answered there")
    func allowedFlood() throws {
        try PacketHarness.with { harness throws in
            for pod in PacketWorld.Pod.allCases {
                for direction in Direction.allCases { try harness.set(.everything, direction, of: pod) }
            }
            #expect(try harness.send(Self.syn, .egress, of: .a) == NP_REASON_ALLOWED)
            #expect(try harness.send(Self.syn, .ingress, of: .b) == NP_REASON_ALLOWED)
            #expect(try harness.send(Self.answer, .egress, of: .b) == NP_REASON_REPLY)
            #expect(try harness.send(Self.answer, .ingress, of: .a) == NP_REASON_REPLY)
            let before = try harness.share()
            let packets = 20_000
            for number in 0..<packets {
                let flow = Self.udp(1, UInt16(number % 60_000 + 1), UInt32(3 + number / 60_000), 53)
                #expect(try harness.run(flow.frame, .egress, of: .a) == NP_ACTION_NEXT.rawValue)
            }
            try harness.recount()
            let after = try harness.share()
            let room = 4 * PacketHarness.regionSets
            #expect(after.inserted - before.inserted == UInt64(packets))
            #expect(after.evicted - before.evicted >= UInt64(packets - room))
            #expect(after.refused == before.refused)
            #expect(try harness.flows(of: .a).count <= room)
            #expect(try harness.flows(of: .b).count == 1)
            #expect(try harness.send(Self.answer, .ingress, of: .a) == NP_REASON_REPLY)
            #expect(try harness.send(Self.request, .egress, of: .a) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(Self.request, .ingress, of: .b) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("where all is answered there is no room: the new flow is dropped under its name and counted for the pod")
    func full() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            try harness.setRegion(UInt32(2 * PacketHarness.firstSet(of: .a) + 2))
            let before = try harness.share()
            var refused = 0
            for port in 1...40 as ClosedRange<UInt16> {
                let reason = try harness.send(Self.udp(1, port, 3, 53), .egress)
                if reason == NP_DROP_CONNTRACK_FULL {
                    refused += 1
                } else {
                    #expect(reason == NP_REASON_ALLOWED)
                    #expect(try harness.send(Self.udp(3, 53, 1, port), .ingress) == NP_REASON_REPLY)
                }
            }
            #expect(refused == 32)
            #expect(try harness.share().refused - before.refused == 32)
            #expect(try harness.share().evicted == before.evicted)
            // What is over makes room, and so does what has been silent for longer than its kind is.
            try harness.changeFlows { $0.last_seen &-= UInt32(NP_TIMEOUT_DATAGRAM + 10) * 1000 / 64 }
            #expect(try harness.send(Self.udp(1, 900, 3, 53), .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("without a region of flows what needs one is dropped")
    func noRegion() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            try harness.setRegion(0)
            #expect(try harness.send(Self.syn, .egress) == NP_DROP_CONNTRACK_FULL)
            try harness.set(.open, .ingress)
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("a bare SYN back does not turn a flow: it is revoked as the one who opened it, in both directions")
    func reverseSYN() throws {
        try PacketHarness.with { harness throws in
            // The receiver's side: pod A is asked by B, and sends a SYN back once.
            let fromB = PacketPolicy.only(.init(identity: PacketWorld.identityB))
            try harness.set(fromB, .ingress)
            try harness.set(fromB, .egress)
            let syn = FlowTests.tcp(2, 40000, 1, 80, Flags.syn, v6: false)
            let request = FlowTests.tcp(2, 40000, 1, 80, Flags.ack, v6: false)
            let answer = FlowTests.tcp(1, 80, 2, 40000, Flags.ack, v6: false)
            let back = FlowTests.tcp(1, 80, 2, 40000, Flags.syn, v6: false)
            #expect(try harness.send(syn, .ingress) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .egress) == NP_REASON_REPLY)
            #expect(try harness.send(back, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(request, .ingress) == NP_REASON_ESTABLISHED)
            try harness.set(.closed, .ingress)
            #expect(try harness.send(request, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(answer, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(request, .ingress) == NP_DROP_POLICY_DEFAULT)
            // Nor afterwards.
            _ = try harness.send(back, .egress)
            #expect(try harness.send(request, .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("a RST before the SYN back changes nothing; when both ends have closed, the SYN turns the flow")
    func reverseSYNAfterClose() throws {
        try PacketHarness.with { harness throws in
            try harness.set(Self.toWeb, .egress)
            try harness.set(.everything, .ingress)
            let reset = FlowTests.tcp(2, 80, 1, 40000, Flags.rst, v6: false)
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(reset, .ingress) == NP_REASON_REPLY)
            #expect(try harness.send(Self.reverseSYN, .ingress) == NP_REASON_ALLOWED)
            try harness.set(.closed, .egress)
            #expect(try harness.send(Self.request, .egress) == NP_DROP_POLICY_DEFAULT)

            try harness.set(Self.toWeb, .egress)
            for (flags, back) in [(Flags.fin | Flags.ack, false), (Flags.fin | Flags.ack, true)] {
                let packet = FlowTests.tcp(
                    back ? 2 : 1, back ? 80 : 40000, back ? 1 : 2, back ? 40000 : 80, flags, v6: false)
                _ = try harness.send(packet, back ? .ingress : .egress)
            }
            #expect(try harness.send(Self.reverseSYN, .ingress) == NP_REASON_ALLOWED)
            try harness.set(.closed, .egress)
            // Now it is B's flow, and A answers in it.
            #expect(try harness.send(Self.request, .egress) == NP_REASON_REVALIDATED)
            #expect(try harness.flowCount() == 1)
        }
    }

    @Test("a known entry whose tuple is used again after a policy change has lost its FINs and its RST")
    func flagsAfterReuse() throws {
        try PacketHarness.with { harness throws in
            try harness.set(Self.toWeb, .egress)
            try harness.set(.closed, .ingress)
            let closing = UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE | NP_ENTRY_RST)
            for half in [false, true] {
                #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
                _ = try harness.send(FlowTests.tcp(1, 40000, 2, 80, Flags.fin | Flags.ack, v6: false), .egress)
                if !half {
                    _ = try harness.send(FlowTests.tcp(2, 80, 1, 40000, Flags.fin | Flags.ack, v6: false), .ingress)
                    _ = try harness.send(FlowTests.tcp(2, 80, 1, 40000, Flags.rst, v6: false), .ingress)
                }
                #expect(try harness.flows().first?.flags ?? 0 & closing != 0)
                try harness.bump(.a)
                #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
                #expect(try harness.flows().map { $0.flags & closing } == [0])
            }
        }
    }

    @Test("one RST with a wrong number does not end a flow: the next packet without RST clears it")
    func wrongReset() throws {
        try PacketHarness.with { harness throws in
            try harness.set(Self.toWeb, .egress)
            try harness.set(.closed, .ingress)
            let reset = FlowTests.tcp(2, 80, 1, 40000, Flags.rst, v6: false)
            let isReset = { try harness.flows().map { $0.flags & UInt32(NP_ENTRY_RST) != 0 } }
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
            for next in [(Self.request, Direction.egress), (Self.answer, .ingress)] {
                #expect(try harness.send(reset, .ingress) == NP_REASON_REPLY)
                #expect(try isReset() == [true])
                _ = try harness.send(next.0, next.1)
                #expect(try isReset() == [false])
            }
        }
    }

    @Test(
        "SYNs that only the pod itself has answered stay unanswered; who has shaken hands is remembered as long as ever"
    )
    func handshakes() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            let isAnswered = { try harness.flows().map { $0.flags & UInt32(NP_ENTRY_ANSWERED) != 0 } }
            _ = try harness.send(FlowTests.tcp(3, 40000, 1, 80, Flags.syn, v6: false), .ingress)
            _ = try harness.send(FlowTests.tcp(1, 80, 3, 40000, Flags.syn | Flags.ack, v6: false), .egress)
            #expect(try isAnswered() == [false])
            _ = try harness.send(FlowTests.tcp(3, 40000, 1, 80, Flags.ack, v6: false), .ingress)
            #expect(try isAnswered() == [true])
            try harness.forgetFlows()
            _ = try harness.send(Self.syn, .egress)
            #expect(try isAnswered() == [false])
            _ = try harness.send(FlowTests.tcp(2, 80, 1, 40000, Flags.syn | Flags.ack, v6: false), .ingress)
            #expect(try isAnswered() == [true])
        }
    }

    @Test(
        "INITs of SCTP from lent addresses stay unanswered: the pod's INIT ACK is no proof, what it sends to a cookie is"
    )
    func associations() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            func send(_ chunk: UInt8, fromPod: Bool) throws -> np_reason {
                let packet = IPPacket(
                    PacketWorld.ipv4(fromPod ? 1 : 3), PacketWorld.ipv4(fromPod ? 3 : 1), .sctp,
                    Transport.sctp(fromPod ? 80 : 40000, fromPod ? 40000 : 80, chunk: chunk))
                return try harness.send(packet, fromPod ? .egress : .ingress)
            }
            let flags = { try harness.flows().map { $0.flags & UInt32(NP_ENTRY_ANSWERED | NP_ENTRY_RST) } }
            let answered = UInt32(NP_ENTRY_ANSWERED)
            #expect(try send(1, fromPod: false) == NP_REASON_ALLOWED)
            #expect(try send(2, fromPod: true) == NP_REASON_REPLY)
            #expect(try flags() == [0], "INIT and INIT ACK")
            // What the pod does not answer is nobody's.
            for chunk in [10, 0, 3, 4] as [UInt8] { #expect(try send(chunk, fromPod: false) == NP_REASON_ESTABLISHED) }
            #expect(try flags() == [0], "COOKIE ECHO and what a liar may add")
            #expect(try send(11, fromPod: true) == NP_REASON_REPLY)
            #expect(try flags() == [answered], "COOKIE ACK")
            #expect(try send(6, fromPod: false) == NP_REASON_ESTABLISHED)
            #expect(try flags() == [answered | UInt32(NP_ENTRY_RST)], "ABORT")
            #expect(try send(0, fromPod: false) == NP_REASON_ESTABLISHED)
            #expect(try flags() == [answered], "one ABORT may have been anybody's")
            for (chunk, fromPod) in [(7, false), (8, true)] as [(UInt8, Bool)] { _ = try send(chunk, fromPod: fromPod) }
            let both = UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)
            #expect(try harness.flows().map { $0.flags & both } == [both], "SHUTDOWN, and its ACK")

            // A flood of them takes only what nobody has answered.
            try harness.forgetFlows()
            try harness.setRegion(UInt32(2 * PacketHarness.firstSet(of: .a) + 16))
            _ = try send(1, fromPod: false)
            _ = try send(11, fromPod: true)
            let before = try harness.share()
            for port in 1...2000 as ClosedRange<UInt16> {
                for (chunk, fromPod) in [(1, false), (2, true), (10, false)] as [(UInt8, Bool)] {
                    let packet = IPPacket(
                        PacketWorld.ipv4(fromPod ? 1 : 2), PacketWorld.ipv4(fromPod ? 2 : 1), .sctp,
                        Transport.sctp(fromPod ? 80 : port, fromPod ? port : 80, chunk: chunk))
                    _ = try harness.run(packet.frame, fromPod ? .egress : .ingress, of: .a)
                }
            }
            try harness.recount()
            #expect(try harness.share().refused == before.refused)
            #expect(try harness.share().evicted - before.evicted >= 1900)
            #expect(try send(0, fromPod: false) == NP_REASON_ESTABLISHED)
        }
    }

    @Test(
        "a connection that passed without state is cut in both directions when it is revoked",
        arguments: [false, true], [80, 50051] as [UInt16])
    func revokedWithoutState(v6: Bool, port: UInt16) throws {
        try PacketHarness.with { harness throws in
            // A server that only ingress policies isolate.
            try harness.set(.only(.init(identity: PacketWorld.identityB)), .ingress)
            let request = FlowTests.tcp(2, 40000, 1, port, Flags.ack, v6: v6)
            let answer = FlowTests.tcp(1, port, 2, 40000, Flags.ack, v6: v6)
            #expect(try harness.send(request, .ingress) == NP_REASON_ALLOWED)
            #expect(try harness.send(answer, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.flowCount() == 0)
            try harness.set(.closed, .ingress)
            #expect(try harness.send(answer, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(request, .ingress) == NP_DROP_POLICY_DEFAULT)
            // What the pod itself has opened goes on, from the moment when it sends.
            let own = FlowTests.tcp(1, 41000, 2, 443, Flags.ack, v6: v6)
            #expect(try harness.send(own, .egress) == NP_REASON_ALLOWED)
            #expect(
                try harness.send(FlowTests.tcp(2, 443, 1, 41000, Flags.ack, v6: v6), .ingress) == NP_REASON_REPLY)

            // A client that only egress policies isolate.
            try harness.forgetFlows()
            try harness.set(.open, .ingress)
            try harness.set(.only(.init(identity: PacketWorld.identityB)), .egress)
            let out = FlowTests.tcp(1, 40000, 2, port, Flags.ack, v6: v6)
            let back = FlowTests.tcp(2, port, 1, 40000, Flags.ack, v6: v6)
            #expect(try harness.send(out, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(back, .ingress) == NP_REASON_ALLOWED)
            try harness.set(.closed, .egress)
            #expect(try harness.send(back, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(out, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test(
        "probes of the node reach a pod that ingress policies isolate, and nobody behind the node's address gets in by them"
    )
    func nodeProbes() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.only(.init(identity: PacketWorld.host)), .ingress)
            #expect(
                try harness.send(FlowTests.tcp(254, 40000, 1, 80, Flags.syn, v6: false), .ingress) == NP_REASON_ALLOWED)
            #expect(
                try harness.send(FlowTests.tcp(1, 80, 254, 40000, Flags.syn | Flags.ack, v6: false), .egress)
                    == NP_REASON_ALLOWED)
            #expect(
                try harness.send(FlowTests.tcp(1, 80, 254, 40000, Flags.ack, v6: false), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.flowCount() == 0)
            #expect(
                try harness.send(
                    FlowTests.tcp(254, 40000, 1, 80, Flags.ack, v6: false), .ingress, by: PacketWorld.uplink)
                    == NP_DROP_POLICY_DEFAULT)
            // A NodePort whose backend is elsewhere: the answer is forwarded.
            #expect(
                try harness.send(FlowTests.tcp(1, 41000, 254, 30080, Flags.syn, v6: false), .egress)
                    == NP_REASON_ALLOWED)
            #expect(
                try harness.send(
                    FlowTests.tcp(254, 30080, 1, 41000, Flags.syn | Flags.ack, v6: false), .ingress,
                    by: PacketWorld.uplink) == NP_REASON_REPLY)
        }
    }

    @Test("flows on their way to another region are found in the former one")
    func moving() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
            let former = UInt32(2 * PacketHarness.firstSet(of: .a) + PacketHarness.regionSets)
            try harness.setRegion(UInt32(2 * 3 * PacketHarness.regionSets + PacketHarness.regionSets))
            #expect(try harness.send(Self.request, .egress) == NP_REASON_ALLOWED, "not found: judged as new")
            try harness.forgetFlows()
            try harness.setRegion(former)
            #expect(try harness.send(Self.syn, .egress) == NP_REASON_ALLOWED)
            try harness.map("np_flow_moves").set(PacketWorld.Pod.a.rawValue, former)
            try harness.setRegion(UInt32(2 * 3 * PacketHarness.regionSets + PacketHarness.regionSets), isMoving: true)
            #expect(try harness.send(Self.request, .egress) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REPLY)
        }
    }
}
