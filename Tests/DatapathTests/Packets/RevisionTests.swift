import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("policy changes under established flows", .needsRoot)
struct RevisionTests {
    typealias Flags = Transport.TCPFlags
    static let request = FlowTests.tcp(1, 40000, 2, 80, Flags.ack, v6: false)
    static let answer = FlowTests.tcp(2, 80, 1, 40000, Flags.ack, v6: false)
    static let allow = PacketPolicy.only(.init(identity: PacketWorld.identityB, protocol: .tcp, ports: PortRange(80)))

    static func open(_ harness: PacketHarness) throws {
        try harness.set(.closed, .ingress)
        try harness.set(allow, .egress)
        #expect(try harness.send(FlowTests.tcp(1, 40000, 2, 80, Flags.syn, v6: false), .egress) == NP_REASON_ALLOWED)
    }

    @Test("an unchanged answer lets the flow go on, asked once")
    func equivalent() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            try harness.set(Self.allow, .egress)
            #expect(try harness.send(Self.request, .egress) == NP_REASON_REVALIDATED)
            #expect(try harness.send(Self.request, .egress) == NP_REASON_ESTABLISHED)
            try harness.bump(.a)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REVALIDATED)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REPLY)
        }
    }

    @Test("a revocation cuts both directions at the next packet, and allowing again resumes")
    func revoked() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            try harness.set(.closed, .egress)
            #expect(try harness.send(Self.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(Self.request, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(Self.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.flowCount() == 1)
            try harness.set(Self.allow, .egress)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REVALIDATED)
            #expect(try harness.send(Self.request, .egress) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("a deny rule that comes later cuts as well, under its own reason")
    func denied() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            var policy = Self.allow
            policy.rules.append(.init(identity: PacketWorld.identityB, denies: true))
            try harness.set(policy, .egress)
            #expect(try harness.send(Self.request, .egress) == NP_DROP_POLICY_DENY)
            #expect(try harness.send(Self.answer, .ingress) == NP_DROP_POLICY_DENY)
        }
    }

    @Test("the policy of the direction that admitted the flow is asked, not the answer's")
    func otherDirection() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            try harness.set(.open, .ingress)
            try harness.set(.closed, .egress)
            // Ingress would allow the answer as a packet of its own; it is still part of a revoked flow.
            #expect(try harness.send(Self.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("each end revalidates by its own revision")
    func ends() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            for direction in Direction.allCases { try harness.set(.everything, direction, of: .b) }
            #expect(try harness.send(Self.request, .ingress, of: .b) == NP_REASON_ALLOWED)
            try harness.bump(.b)
            #expect(try harness.send(Self.request, .egress, of: .a) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(Self.request, .ingress, of: .b) == NP_REASON_REVALIDATED)
            try harness.set(.closed, .ingress, of: .b)
            #expect(try harness.send(Self.request, .egress, of: .a) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(Self.request, .ingress, of: .b) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(Self.answer, .egress, of: .b) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("an evicted flow is asked about again: nothing opens, and what is allowed comes back")
    func evicted() throws {
        try PacketHarness.with { harness throws in
            try Self.open(harness)
            try harness.forgetFlows()
            #expect(try harness.send(Self.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(Self.request, .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(Self.answer, .ingress) == NP_REASON_REPLY)
        }
    }
}
