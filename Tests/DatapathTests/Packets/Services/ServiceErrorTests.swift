import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// ICMP errors about packets to and from Services.
@Suite("ICMP errors about flows to Services", .needsRoot)
struct ServiceErrorTests {
    typealias World = ServiceWorld
    typealias Flags = Transport.TCPFlags

    /// An error about a packet as it was on the way, with its whole bytes or with just those that must be there.
    private static func error(
        about packet: IPPacket, from source: IPAddress, v6: Bool, bytes: Int = .max, type: UInt8? = nil
    ) -> IPPacket {
        IPPacket(
            source, packet.source, v6 ? .icmpv6 : .icmp,
            Transport.icmp(
                type ?? (v6 ? 2 : 3), code: v6 ? 0 : 4, identifier: 0, body: Array(packet.summedBytes.prefix(bytes)))
        ).summed
    }

    /// Bytes of an IP header and the eight behind it.
    private static func least(v6: Bool) -> Int { v6 ? 48 : 28 }

    @Test(
        "to the pod: path MTU works through a Service, the packet in it is the one that the pod has sent",
        arguments: World.protocols, [false, true])
    func toPod(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            try harness.serve(`protocol`, at: frontend, by: [.init(backend)])
            try harness.set(.closed, .ingress)
            let sent = ServiceTests.request(`protocol`, v6: v6, first: true)
            let onTheWay = sent.redirected(to: backend, World.targetPort)
            #expect(try harness.pass(sent, .egress).frame == onTheWay.summedFrame)
            for bytes in [Int.max, Self.least(v6: v6)] {
                let router = ICMPErrorTests.router(v6: v6)
                let got = try harness.pass(Self.error(about: onTheWay, from: router, v6: v6, bytes: bytes), .ingress)
                #expect(got.reason == NP_REASON_RELATED)
                var expected = Self.error(about: sent, from: router, v6: v6, bytes: bytes)
                if `protocol` == .sctp {
                    // Its CRC is over the whole packet, and no receiver looks at it.
                    expected = Self.keepingCRC(of: onTheWay, in: expected, v6: v6)
                }
                #expect(got.frame == expected.summedFrame, "\(bytes)")
                // From the backend itself: the pod knows the Service only.
                let refused = try harness.pass(
                    Self.error(about: onTheWay, from: backend, v6: v6, bytes: bytes, type: v6 ? 1 : 3), .ingress)
                #expect(refused.reason == NP_REASON_RELATED)
                var named = Self.error(about: sent, from: frontend, v6: v6, bytes: bytes, type: v6 ? 1 : 3)
                if `protocol` == .sctp { named = Self.keepingCRC(of: onTheWay, in: named, v6: v6) }
                #expect(refused.frame == named.summedFrame)
            }
        }
    }

    @Test(
        "from the pod: what it says of a packet that came from a Service reaches the backend that sent it",
        arguments: World.protocols, [false, true])
    func fromPod(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            try harness.serve(`protocol`, at: frontend, by: [.init(backend)])
            try harness.set(
                .only(.init(identity: PacketWorld.identityB, protocol: `protocol`, ports: .init(World.targetPort))),
                .egress)
            #expect(
                try harness.pass(ServiceTests.request(`protocol`, v6: v6, first: true), .egress).reason
                    == NP_REASON_ALLOWED)
            let answer = ServiceTests.answer(`protocol`, v6: v6, from: backend)
            let got = answer.relabelled(as: frontend, World.port)
            #expect(try harness.pass(answer, .ingress).frame == got.summedFrame)
            for bytes in [Int.max, Self.least(v6: v6)] {
                let error = Self.error(
                    about: got, from: ServiceTests.pod(.a, v6: v6), v6: v6, bytes: bytes, type: v6 ? 1 : 3)
                let sent = try harness.pass(error, .egress)
                #expect(sent.reason == NP_REASON_RELATED)
                var expected = Self.error(
                    about: answer, from: ServiceTests.pod(.a, v6: v6), v6: v6, bytes: bytes, type: v6 ? 1 : 3)
                if `protocol` == .sctp { expected = Self.keepingCRC(of: got, in: expected, v6: v6) }
                #expect(sent.frame == expected.summedFrame)
            }
        }
    }

    @Test(
        "where the pod has another port at the backend, an error names the one that the pod knows",
        arguments: [false, true])
    func otherPort(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            for (number, frontend) in [World.frontend(v6: v6), World.other(v6: v6)].enumerated() {
                try harness.serve(.udp, at: frontend, by: [.init(backend)], service: UInt32(number + 1))
                let sent = ServiceTests.request(.udp, v6: v6, to: frontend)
                let frame = try harness.pass(sent, .egress).frame
                let place = v6 ? 54 : 34
                let port = UInt16(frame[place]) << 8 | UInt16(frame[place + 1])
                let onTheWay = sent.redirected(to: backend, World.targetPort).relabelled(as: sent.source, port)
                #expect(frame == onTheWay.summedFrame)
                let router = ICMPErrorTests.router(v6: v6)
                #expect(
                    try harness.pass(Self.error(about: onTheWay, from: router, v6: v6), .ingress).frame
                        == Self.error(about: sent, from: router, v6: v6).summedFrame)
                let answer = ServiceTests.answer(.udp, v6: v6, from: backend, to: port)
                let got = answer.relabelled(as: frontend, World.port).redirected(to: sent.source, ServiceTests.client)
                #expect(
                    try harness.pass(
                        Self.error(about: got, from: sent.source, v6: v6, type: v6 ? 1 : 3), .egress
                    ).frame == Self.error(about: answer, from: sent.source, v6: v6, type: v6 ? 1 : 3).summedFrame)
            }
        }
    }

    /// The error with the SCTP checksum of another version of the embedded packet, as far as it is there.
    private static func keepingCRC(of packet: IPPacket, in error: IPPacket, v6: Bool) -> IPPacket {
        let place = 8 + (v6 ? 40 : 20) + 8
        guard error.payload.count >= place + 4 else { return error }
        return error.with { $0.payload.replaceSubrange(place..<place + 4, with: packet.payload[8..<12]) }.summed
    }
}
