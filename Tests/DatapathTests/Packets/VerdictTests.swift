import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("verdicts, counters and events", .needsRoot)
struct VerdictTests {
    private let packet = SamplePacket.tcp.packet(v6: false)

    @Test("an endpoint that is not ready passes nothing, not even ARP")
    func notReady() throws {
        try PacketHarness.with { harness throws in
            try harness.setReady(false, .a)
            #expect(try harness.send(packet, .egress) == NP_DROP_NOT_READY)
            #expect(try harness.send(Frame.ethernet(Frame.EtherType.arp, []), .egress) == NP_DROP_NOT_READY)
            try harness.setReady(true, .a)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("without a policy program new flows are dropped, known ones go on")
    func noProgram() throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            try harness.removePolicy(.egress)
            let later = FlowTests.tcp(1, 40000, 2, 80, Transport.TCPFlags.ack, v6: false)
            #expect(try harness.send(later, .egress) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(SamplePacket.udp.packet(v6: false), .egress) == NP_DROP_NO_POLICY_PROGRAM)
        }
    }

    @Test("a missing step drops")
    func missingSteps() throws {
        try PacketHarness.with { harness throws in
            // Without policies nobody asks a program.
            try harness.set(.everything, .egress)
            try harness.removeStep(NP_STEP_POLICY)
            #expect(try harness.send(packet, .egress) == NP_DROP_NO_STEP)
            #expect(try harness.flowCount() == 0)
            try harness.removeStep(NP_STEP_FROM_POD)
            #expect(try harness.send(packet, .egress) == NP_REASON_NONE)
            try harness.removeStep(NP_STEP_ICMP_ERROR)
            let error = ICMPErrorTests.error(about: packet, from: PacketWorld.ipv4(3))
            #expect(try harness.send(error, .ingress) == NP_DROP_NO_STEP)
            try harness.removeStep(NP_STEP_NEIGHBOUR)
            let question = NeighbourTests.message(135, from: PacketWorld.ipv6(2), about: PacketWorld.ipv6(1))
            #expect(try harness.send(question, .ingress) == NP_DROP_NO_STEP)
        }
    }

    /// The verifier of 6.1 follows states that a newer one prunes: what took 144,000 here took more than its million there.
    @Test(
        "the verifier goes through no program for long, so that that of 6.1 loads it too",
        arguments: [false, true])
    func verification(paths: Bool) throws {
        try PacketHarness.with(paths: paths) { harness throws in
            for (_, program) in DatapathMaps.steps {
                #expect(try harness.verifiedInstructions(of: program) < 110_000, "\(program)")
            }
        }
    }

    @Test("what a policy program returns decides nothing: its answer does", arguments: [-1, 0, 1, 2, 7] as [Int32])
    func returned(value: Int32) throws {
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            try harness.set(
                program: Self.program(answering: Int32(NP_VERDICT_ALLOW.rawValue), returning: value), .egress)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            try harness.set(
                program: Self.program(answering: Int32(NP_VERDICT_DENY.rawValue), returning: value), .egress)
            #expect(try harness.send(SamplePacket.udp.packet(v6: false), .egress) == NP_DROP_POLICY_DENY)
        }
    }

    @Test("a policy program that leaves the question as it is has not answered", arguments: [0, 1, 2] as [Int32])
    func unanswered(value: Int32) throws {
        typealias Asm = AssembledProgram
        try PacketHarness.with { harness throws in
            let silent = EncodedProgram(
                instructions: [Asm.instruction(0xb7, immediate: value), Asm.exit], mapReferences: [])
            try harness.set(program: silent, .egress)
            #expect(try harness.send(packet, .egress) == NP_DROP_NO_POLICY_PROGRAM)
            #expect(try harness.flowCount() == 0)
        }
    }

    /// A policy program that puts any answer into cb[3], and returns anything.
    private static func program(answering answer: Int32, returning value: Int32 = 0) -> EncodedProgram {
        typealias Asm = AssembledProgram
        func store(_ register: Int32, _ value: Int32) -> [UInt64] {
            [
                Asm.instruction(0xb7, destination: 2, immediate: value),
                Asm.instruction(0x63, destination: 1, source: 2, offset: Int16(NP_CB_OFFSET) + 4 * Int16(register)),
            ]
        }
        return EncodedProgram(
            instructions: store(NP_CB_IDENTITY, 1) + store(NP_CB_TRAFFIC, 0) + store(NP_CB_VERDICT, answer)
                + store(NP_CB_BASE, 0) + [Asm.instruction(0xb7, immediate: value), Asm.exit],
            mapReferences: [])
    }

    @Test("rules for the proxy alone are dropped while there is none; a deny rule has its own reason")
    func reasons() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.only(.init(protocol: .tcp, isL7: true)), .egress)
            #expect(try harness.send(packet, .egress) == NP_DROP_L7_UNAVAILABLE)
            try harness.set(.only(.init(protocol: .tcp, isL7: true), .init(protocol: .tcp)), .egress)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            try harness.set(.only(.init(denies: true)), .ingress)
            #expect(try harness.send(FlowTests.tcp(2, 9, 1, 9, 2, v6: false), .ingress) == NP_DROP_POLICY_DENY)
        }
    }

    @Test("a policy program that answers nothing known is no allowance", arguments: [0, 5, 77, 255])
    func badVerdict(answer: Int32) throws {
        try PacketHarness.with { harness throws in
            try harness.set(program: Self.program(answering: answer), .egress)
            #expect(try harness.send(packet, .egress) == NP_DROP_BAD_VERDICT)
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test("the counter of the deciding rule moves, and no other")
    func ruleHits() throws {
        try PacketHarness.with { harness throws in
            let base: UInt32 = 100
            let hits = try harness.map("np_rule_hits")
            func counters() throws -> [UInt64] {
                try (0..<100).map { try hits.perCPUValues(of: base + $0, value: UInt64(0)).reduce(0, +) }
            }
            func moved(_ packet: IPPacket) throws -> [UInt32: UInt64] {
                let before = try counters()
                _ = try harness.send(packet, .egress)
                let after = try counters()
                return Dictionary(
                    uniqueKeysWithValues: zip(before, after).enumerated().compactMap { index, pair in
                        pair.0 == pair.1 ? nil : (UInt32(index), pair.1 - pair.0)
                    })
            }
            // 90 rules, one a port: more than a word of bits.
            let rules = (0..<90).map { PacketPolicy.Rule(protocol: .tcp, ports: PortRange(UInt16(1000 + $0))) }
            try harness.set(PacketPolicy(isolates: true, rules: rules), .egress, hitBase: base)
            func tcp(_ port: UInt16) -> IPPacket { FlowTests.tcp(1, 5, 2, port, 2, v6: false) }
            for rule in [0, 1, 31, 32, 63, 64, 65, 89] as [UInt32] {
                #expect(try moved(tcp(UInt16(1000 + rule))) == [UInt32(NP_HIT_FIRST_RULE) + rule: 1], "rule \(rule)")
            }
            #expect(try moved(tcp(2000)) == [UInt32(NP_HIT_DEFAULT_DENY): 1])
            #expect(try moved(tcp(1000)) == [UInt32(NP_HIT_FIRST_RULE): 1], "without state each packet asks")
            try harness.set(.closed, .ingress)
            #expect(try moved(tcp(1000)) == [UInt32(NP_HIT_FIRST_RULE): 1])
            #expect(try moved(tcp(1000)) == [UInt32(NP_HIT_FIRST_RULE): 1], "a SYN always asks")
            let later = FlowTests.tcp(1, 5, 2, 1000, Transport.TCPFlags.ack, v6: false)
            #expect(try moved(later) == [:], "an established packet asks no rule")
            try harness.set(.open, .ingress)
            try harness.set(.open, .egress, hitBase: base)
            #expect(try moved(tcp(3000)) == [UInt32(NP_HIT_DEFAULT_ALLOW): 1])
        }
    }

    @Test("the reason counters count bytes of the frame")
    func bytes() throws {
        try PacketHarness.with { harness throws in
            let reasons = try harness.map("np_reasons")
            func bytes() throws -> UInt64 {
                try reasons.perCPUValues(of: NP_REASON_ALLOWED.rawValue, value: np_counter()).reduce(0) {
                    $0 + $1.bytes
                }
            }
            let before = try bytes()
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            #expect(try bytes() - before == UInt64(packet.frame.count))
        }
    }

    @Test("flows remember when they were last seen, and which ends have closed")
    func flags() throws {
        try PacketHarness.with { harness throws in
            typealias Flags = Transport.TCPFlags
            try harness.set(.closed, .ingress)
            func flow() throws -> np_flow_record { try harness.flows().first ?? np_flow_record() }
            let role = NP_ROLE_INITIATOR.rawValue << UInt32(NP_ENTRY_ROLE_SHIFT)
            let answered = UInt32(NP_ENTRY_ANSWERED)
            func send(_ flags: UInt8, back: Bool = false) throws {
                let packet =
                    back
                    ? FlowTests.tcp(2, 80, 1, 40000, flags, v6: false)
                    : FlowTests.tcp(1, 40000, 2, 80, flags, v6: false)
                _ = try harness.send(packet, back ? .ingress : .egress)
            }
            try send(Flags.syn)
            #expect(try flow().last_seen > 0)
            #expect(try flow().flags == role)
            try send(Flags.fin | Flags.ack)
            #expect(try flow().flags == role | UInt32(NP_ENTRY_FIN_OWN))
            try send(Flags.fin | Flags.ack, back: true)
            #expect(try flow().flags == role | answered | UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE))
            try send(Flags.rst, back: true)
            #expect(
                try flow().flags
                    == role | answered | UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE | NP_ENTRY_RST))
            try send(Flags.syn)
            #expect(try flow().flags == role, "the tuple is used again")
        }
    }
}
