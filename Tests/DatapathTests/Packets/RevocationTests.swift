import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// A flow of pod A that passes, policies that change, and what passes then: the table of docs/design/packet-path.md, cell by cell.
@Suite("revocation: every old need of state, every new one, both directions", .needsRoot)
struct RevocationTests {
    /// What a flow consists of.
    enum Traffic: CaseIterable {
        case tcp, udp, sctp
        /// From a port to the same port, as time servers and tunnels.
        case udpEqualPorts
        /// No ports at all.
        case gre

        /// Whether a packet tells who asks, or its ports at least.
        var isTelling: Bool { self != .udpEqualPorts && self != .gre }

        fileprivate func bytes(_ from: UInt16, _ to: UInt16) -> (L4Protocol, [UInt8]) {
            switch self {
            case .tcp: (.tcp, Transport.tcp(from, to, flags: Transport.TCPFlags.ack))
            case .udp: (.udp, Transport.udp(from, to))
            case .sctp: (.sctp, Transport.sctp(from, to, chunk: 0))
            case .udpEqualPorts: (.udp, Transport.udp(123, 123))
            case .gre: (L4Protocol(rawValue: 47), [0, 0, 8, 0])
            }
        }
    }

    /// A flow between pod A and B that the policy of `direction` decides: of `egress` A has opened it.
    private struct Flow {
        let traffic: Traffic
        let direction: Direction
        var opposite: Direction { direction == .egress ? .ingress : .egress }

        /// A packet along the flow's direction.
        var request: IPPacket { packet(from: direction == .egress ? 1 : 2, 40000, 80) }
        /// One against it.
        var answer: IPPacket { packet(from: direction == .egress ? 2 : 1, 80, 40000) }

        private func packet(from sender: UInt32, _ port: UInt16, _ toPort: UInt16) -> IPPacket {
            let (number, bytes) = traffic.bytes(port, toPort)
            return IPPacket(PacketWorld.ipv4(sender), PacketWorld.ipv4(3 - sender), number, bytes)
        }

        /// Whether the packets pass, one after the other.
        func pass(_ harness: PacketHarness, _ isAnswer: Bool) throws -> Bool {
            let reason =
                isAnswer ? try harness.send(answer, opposite) : try harness.send(request, direction)
            return reason.rawValue < NP_REASON_FIRST_DROP.rawValue
        }
    }

    private static let fromB = PacketPolicy.only(.init(identity: PacketWorld.identityB))
    /// Policies of the flow's own direction that allow it, and those that do not.
    private static let allowing = [PacketPolicy.open, fromB, .everything]
    private static let refusing = [
        PacketPolicy.closed, .only(.init(identity: PacketWorld.identityC)),
        PacketPolicy(isolates: false, rules: [.init(identity: PacketWorld.identityB, denies: true)]),
    ]
    /// Policies of the opposite direction: the answers pass by themselves in the first two.
    private static let opposite: [(policy: PacketPolicy, passes: Bool)] = [
        (.open, true), (fromB, true), (.closed, false),
    ]

    /// Calls `body` with every change from policies that allow a flow, once it has passed; it has an entry or not.
    private static func everyChange(
        _ harness: PacketHarness, _ traffic: Traffic, _ direction: Direction, to policies: [PacketPolicy],
        _ body: (Flow, _ oppositePasses: Bool, _ isKnown: Bool, _ change: String) throws -> Void
    ) throws {
        let flow = Flow(traffic: traffic, direction: direction)
        for (oldNumber, old) in allowing.enumerated() {
            for (backNumber, back) in opposite.enumerated() {
                for (newNumber, new) in policies.enumerated() {
                    for (nextNumber, next) in opposite.enumerated() {
                        try harness.forgetFlows()
                        try harness.setChange(.old)
                        try harness.set(old, direction)
                        try harness.set(back.policy, flow.opposite)
                        let needs = "\(harness.need(direction, of: .a).rawValue)"
                        let change =
                            "\(traffic) \(direction) old \(oldNumber)/\(backNumber) new \(newNumber)/\(nextNumber)"
                        for isAnswer in [false, true, false] {
                            #expect(try flow.pass(harness, isAnswer), "\(change): before")
                        }
                        let isKnown = try harness.flowCount() > 0
                        #expect(try harness.flowCount() <= 1)
                        try harness.set(new, direction)
                        try harness.set(next.policy, flow.opposite)
                        try body(
                            flow, next.passes, isKnown,
                            "\(change) (need \(needs) to \(harness.need(direction, of: .a).rawValue), known: \(isKnown))"
                        )
                    }
                }
            }
        }
    }

    @Test(
        "a revoked flow is cut in both directions from its next packet on, whichever that is, with an entry or without",
        arguments: Traffic.allCases, Direction.allCases)
    func revoked(traffic: Traffic, direction: Direction) throws {
        try PacketHarness.with { harness throws in
            try Self.everyChange(harness, traffic, direction, to: Self.refusing) { flow, _, _, change throws in
                let known = try harness.flowSets()
                for age in traffic.isTelling ? [PolicyAge.new, .recent] : [.new] {
                    try harness.setChange(age)
                    for order in [[true, false, true, false], [false, true, false]] {
                        for (place, isAnswer) in order.enumerated() {
                            #expect(
                                try !flow.pass(harness, isAnswer),
                                "\(change): \(isAnswer ? "answer" : "request") \(place) of \(order), \(age)")
                        }
                    }
                }
                #expect(try harness.flowSets().count == known.count, "\(change): no entry comes of it")
            }
        }
    }

    @Test(
        "a flow that stays allowed goes on: with its next packet; with the answer too, if that passes by itself or is remembered",
        arguments: Traffic.allCases, Direction.allCases)
    func allowed(traffic: Traffic, direction: Direction) throws {
        try PacketHarness.with { harness throws in
            for answerFirst in [false, true] {
                try Self.everyChange(harness, traffic, direction, to: Self.allowing) {
                    flow, passes, isKnown, change throws in
                    try harness.setChange(traffic.isTelling ? .new : .recent)
                    if answerFirst {
                        #expect(try flow.pass(harness, true) == (passes || isKnown), "\(change): answer first")
                    }
                    for isAnswer in [false, true, false, true] {
                        #expect(try flow.pass(harness, isAnswer), "\(change): \(isAnswer ? "answer" : "request")")
                    }
                }
            }
        }
    }

    @Test("where the ports say nothing, what is not allowed both ways has to wait while answers may be under way")
    func doubt() throws {
        try PacketHarness.with { harness throws in
            for traffic in [Traffic.udpEqualPorts, .gre] {
                try harness.forgetFlows()
                try harness.set(.open, .egress)
                try harness.set(.closed, .ingress)
                let flow = Flow(traffic: traffic, direction: .egress)
                try harness.setChange(.new)
                #expect(try harness.send(flow.request, .egress) == NP_DROP_POLICY_DEFAULT)
                try harness.setChange(.recent)
                #expect(try harness.send(flow.request, .egress) == NP_REASON_ALLOWED)
                try harness.setChange(.new)
                #expect(try harness.send(flow.answer, .ingress) == NP_REASON_REPLY)
                // Both ways allowed, nobody guesses and nothing is remembered.
                try harness.forgetFlows()
                try harness.set(Self.fromB, .egress)
                try harness.set(Self.fromB, .ingress)
                try harness.raise(NP_STATE_ALWAYS, .egress)
                try harness.setChange(.new)
                #expect(try harness.send(flow.request, .egress) == NP_REASON_ALLOWED)
                #expect(try harness.flowCount() == 0)
            }
        }
    }

    @Test(
        "a server that may open flows by itself does so when the revoked one would be forgotten; one that goes on sending does not"
    )
    func forgotten() throws {
        try PacketHarness.with { harness throws in
            let flow = Flow(traffic: .udp, direction: .egress)
            // Without an entry there is only the time since the change.
            try harness.set(.closed, .egress)
            try harness.setChange(.old)
            #expect(try harness.send(flow.answer, .ingress) == NP_REASON_ALLOWED)
            // With one, the server's packets keep it.
            try harness.forgetFlows()
            try harness.set(.open, .egress)
            try harness.set(.closed, .ingress)
            #expect(try harness.send(flow.request, .egress) == NP_REASON_ALLOWED)
            try harness.set(.closed, .egress)
            try harness.set(.open, .ingress)
            try harness.changeFlows { $0.last_seen &-= 1000 }
            let before = try #require(try harness.flows().first).last_seen
            #expect(try harness.send(flow.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try #require(try harness.flows().first).last_seen &- before >= 1000)
            #expect(try harness.send(flow.request, .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("while needs are raised under policies that still allow, an answer makes no flow of its own")
    func raised() throws {
        try PacketHarness.with { harness throws in
            let flow = Flow(traffic: .udp, direction: .egress)
            #expect(try harness.send(flow.request, .egress) == NP_REASON_ALLOWED)
            for direction in Direction.allCases { try harness.raise(NP_STATE_ALWAYS, direction) }
            try harness.setChange(.new)
            #expect(try harness.send(flow.answer, .ingress) == NP_REASON_ALLOWED)
            #expect(
                try harness.flows().map { $0.flags >> UInt32(NP_ENTRY_ROLE_SHIFT) & 3 } == [NP_ROLE_INITIATOR.rawValue])
            try harness.set(.closed, .egress)
            #expect(try harness.send(flow.answer, .ingress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(flow.request, .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }
}
