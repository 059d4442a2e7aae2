import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// Fragments of packets to Services.
@Suite("fragments to and from Services", .needsRoot)
struct ServiceFragmentTests {
    typealias World = ServiceWorld

    /// A datagram in two pieces.
    private static func pieces(_ packet: IPPacket, _ identification: UInt32) -> [IPPacket] {
        let cut = 24
        return [
            packet.with {
                $0.payload = Array(packet.payload.prefix(cut))
                $0.fragment = .init(identification, offset: 0, more: true)
            },
            packet.with {
                $0.payload = Array(packet.payload.dropFirst(cut))
                $0.fragment = .init(identification, offset: UInt16(cut), more: false)
            },
        ]
    }

    @Test(
        "all of a UDP datagram goes to one backend, and all of the answer comes from the Service",
        arguments: [false, true])
    func udp(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            try harness.serve(.udp, at: frontend, by: [.init(backend)])
            try harness.set(.closed, .ingress)
            let data = (0..<61).map { UInt8($0) }
            for round in 0..<3 as Range<UInt32> {
                let request = ServiceTests.request(.udp, v6: v6, data: data)
                let translated = Self.pieces(request.redirected(to: backend, World.targetPort), 100 + round)
                for (piece, expected) in zip(Self.pieces(request, 100 + round), translated) {
                    let sent = try harness.pass(piece, .egress)
                    #expect(sent.frame == expected.summedFrame)
                    #expect(sent.returned == NP_ACTION_NEXT.rawValue)
                }
                let answer = ServiceTests.answer(.udp, v6: v6, from: backend, data: data)
                let named = Self.pieces(answer.relabelled(as: frontend, World.port), 200 + round)
                for (piece, expected) in zip(Self.pieces(answer, 200 + round), named) {
                    #expect(try harness.pass(piece, .ingress).frame == expected.summedFrame)
                }
            }
        }
    }

    @Test("a later fragment whose first one was not seen is dropped, translated or not", arguments: [false, true])
    func unknown(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.udp, at: World.frontend(v6: v6), by: [.init(ServiceTests.pod(.b, v6: v6))])
            let request = ServiceTests.request(.udp, v6: v6, data: [UInt8](repeating: 1, count: 40))
            #expect(try harness.pass(Self.pieces(request, 300)[1], .egress).reason == NP_DROP_FRAGMENT_UNKNOWN)
        }
    }

    @Test(
        "a fragmented SCTP packet goes to the same port only: its checksum is over bytes not seen",
        arguments: [false, true])
    func sctp(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            let request = ServiceTests.request(.sctp, v6: v6, data: [UInt8](repeating: 1, count: 40))
            try harness.serve(.sctp, at: frontend, by: [.init(backend)])
            #expect(try harness.pass(Self.pieces(request, 400)[0], .egress).reason == NP_DROP_UNTRANSLATABLE)
            try harness.forgetFlows()
            try harness.serve(.sctp, at: frontend, by: [.init(backend, port: World.port)], service: 2)
            for (piece, expected) in zip(
                Self.pieces(request, 401), Self.pieces(request.redirected(to: backend, World.port), 401))
            {
                #expect(try harness.pass(piece, .egress).frame == expected.summedFrame)
            }
        }
    }
}
