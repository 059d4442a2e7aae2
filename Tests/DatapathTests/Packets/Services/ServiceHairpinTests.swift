import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// A pod that is chosen as its own endpoint.
@Suite("a pod that talks to itself through a Service", .needsRoot)
struct ServiceHairpinTests {
    typealias World = ServiceWorld
    typealias Flags = Transport.TCPFlags
    private static let client = ServiceTests.client

    /// A packet as the pod gets it from itself.
    private static func returned(_ packet: IPPacket, port: UInt16 = client, v6: Bool) -> IPPacket {
        packet.redirected(to: ServiceTests.pod(.a, v6: v6), World.targetPort)
            .relabelled(as: World.loopback(v6: v6), port)
    }

    /// The pod's answer to what came from the address of hairpins.
    private static func answer(_ protocol: L4Protocol, to port: UInt16 = client, v6: Bool) -> IPPacket {
        World.packet(
            `protocol`, from: ServiceTests.pod(.a, v6: v6), World.targetPort, to: World.loopback(v6: v6), port,
            flags: Flags.syn | Flags.ack)
    }

    @Test(
        "its packets come back from an address that is nobody's, its answers from the Service, whatever policies say",
        arguments: World.protocols, [false, true])
    func itself(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let frontend = World.frontend(v6: v6)
            try harness.serve(`protocol`, at: frontend, by: [.init(ServiceTests.pod(.a, v6: v6))])
            for direction in Direction.allCases { try harness.set(.closed, direction) }
            for isFirst in [true, false, false] {
                let request = ServiceTests.request(`protocol`, v6: v6, first: isFirst)
                let sent = try harness.pass(request, .egress)
                #expect(sent.reason == NP_REASON_HAIRPIN)
                #expect(sent.returned == NP_ACTION_REDIRECT.rawValue)
                let expected = Self.returned(request, v6: v6)
                #expect(sent.frame == expected.summedFrame.turned)
                #expect(try harness.pass(expected, .ingress, by: PacketWorld.own).reason == NP_REASON_HAIRPIN)

                let answer = Self.answer(`protocol`, v6: v6)
                let back = try harness.pass(answer, .egress)
                #expect(back.reason == NP_REASON_HAIRPIN)
                #expect(back.returned == NP_ACTION_REDIRECT.rawValue)
                let named = answer.redirected(to: ServiceTests.pod(.a, v6: v6), Self.client)
                    .relabelled(as: frontend, World.port)
                #expect(back.frame == named.summedFrame.turned)
                #expect(try harness.pass(named, .ingress, by: PacketWorld.own).reason == NP_REASON_HAIRPIN)
            }
            #expect(try harness.flows(of: .a).count == 2)
        }
    }

    @Test("through two Services from one port, each has its own answers", arguments: [false, true])
    func twice(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let services = [World.frontend(v6: v6), World.other(v6: v6)]
            for (number, frontend) in services.enumerated() {
                try harness.serve(
                    .udp, at: frontend, by: [.init(ServiceTests.pod(.a, v6: v6))], service: UInt32(number + 1))
            }
            var ports: [UInt16] = []
            for frontend in services {
                let sent = try harness.pass(ServiceTests.request(.udp, v6: v6, to: frontend), .egress)
                #expect(sent.reason == NP_REASON_HAIRPIN)
                let place = v6 ? 54 : 34
                ports.append(UInt16(sent.frame[place]) << 8 | UInt16(sent.frame[place + 1]))
            }
            #expect(ports[0] == Self.client && ports[1] != Self.client)
            for (frontend, port) in zip(services, ports) {
                let answer = Self.answer(.udp, to: port, v6: v6)
                #expect(
                    try harness.pass(answer, .egress).frame
                        == answer.redirected(to: ServiceTests.pod(.a, v6: v6), Self.client)
                        .relabelled(as: frontend, World.port).summedFrame.turned)
            }
        }
    }

    @Test(
        "what is sent to the address of hairpins, and answers nothing, is dropped under a name",
        arguments: [false, true])
    func unasked(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(ServiceTests.pod(.a, v6: v6))])
            #expect(try harness.pass(Self.answer(.tcp, v6: v6), .egress).reason == NP_DROP_UNTRANSLATABLE)
            #expect(try harness.flows(of: .a).isEmpty)
            // From elsewhere it is an address like others.
            try harness.set(.closed, .ingress)
            let foreign = World.packet(
                .tcp, from: World.loopback(v6: v6), 1, to: ServiceTests.pod(.a, v6: v6), 80, flags: Flags.syn)
            #expect(try harness.pass(foreign, .ingress).reason == NP_DROP_POLICY_DEFAULT)
        }
    }
}

extension [UInt8] {
    /// A frame on its way back: its Ethernet addresses exchanged.
    var turned: [UInt8] { Array(self[6..<12] + self[0..<6] + self[12...]) }
}
