import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// Flows of a pod that would have the same ends at a backend.
@Suite("flows to one backend from one port", .needsRoot)
struct ServiceCollisionTests {
    typealias World = ServiceWorld
    typealias Flags = Transport.TCPFlags
    private static let client = ServiceTests.client

    /// A way from pod A's port to the backend.
    private struct Way {
        /// What the pod talks to.
        var end: IPAddress
        var port: UInt16
        /// The pod's port at the backend.
        var portBeyond: UInt16 = 0
    }

    /// Pod B, through two Services and straight.
    private static func ways(v6: Bool) -> [Way] {
        [
            Way(end: World.frontend(v6: v6), port: World.port), Way(end: World.other(v6: v6), port: World.port),
            Way(end: ServiceTests.pod(.b, v6: v6), port: World.targetPort),
        ]
    }

    @Test(
        "through two Services and straight, from the same port: each gets its own answers, in any order, with state or without",
        arguments: World.protocols, [false, true])
    func ownAnswers(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
                for isStateful in [false, true] {
                    try harness.reset()
                    try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [.init(backend)], service: 1)
                    try harness.serve(`protocol`, at: World.other(v6: v6), by: [.init(backend)], service: 2)
                    if isStateful {
                        for direction in Direction.allCases { try harness.set(.everything, direction) }
                    }
                    var ways = Self.ways(v6: v6)
                    for number in order { try open(&ways[number], `protocol`, v6: v6, harness) }
                    #expect(Set(ways.map(\.portBeyond)).count == 3)
                    #expect(ways[order[0]].portBeyond == Self.client, "the first one keeps its port")
                    for _ in 0..<2 {
                        for way in ways { try exchange(way, `protocol`, v6: v6, harness) }
                    }
                    // Policies change, and all of them are asked again.
                    try harness.bump(.a)
                    for way in ways { try exchange(way, `protocol`, v6: v6, harness) }
                    try harness.bump(.a)
                    for way in ways.reversed() { try answer(way, `protocol`, v6: v6, harness) }
                }
            }
        }
    }

    @Test("what is over gives its port back", arguments: [false, true])
    func over(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(backend)], service: 1)
            try harness.serve(.tcp, at: World.other(v6: v6), by: [.init(backend)], service: 2)
            var ways = Self.ways(v6: v6)
            try open(&ways[0], .tcp, v6: v6, harness)
            let fin = Flags.fin | Flags.ack
            _ = try harness.pass(packet(ways[0], .tcp, v6: v6, flags: fin), .egress)
            _ = try harness.pass(
                ServiceTests.answer(.tcp, v6: v6, from: backend, to: Self.client, flags: fin), .ingress)
            try open(&ways[1], .tcp, v6: v6, harness)
            #expect(ways[1].portBeyond == Self.client)
            try exchange(ways[1], .tcp, v6: v6, harness)
        }
    }

    private func packet(
        _ way: Way, _ protocol: L4Protocol, v6: Bool, flags: UInt8 = Flags.ack, chunk: UInt8 = 0
    ) -> IPPacket {
        World.packet(
            `protocol`, from: ServiceTests.pod(.a, v6: v6), Self.client, to: way.end, way.port, flags: flags,
            chunk: chunk)
    }

    /// The first packet, which says what port the way has beyond.
    private func open(_ way: inout Way, _ protocol: L4Protocol, v6: Bool, _ harness: PacketHarness) throws {
        let first = packet(way, `protocol`, v6: v6, flags: Flags.syn, chunk: 1)
        let sent = try harness.pass(first, .egress)
        #expect(sent.reason == NP_REASON_ALLOWED)
        let place = v6 ? 54 : 34
        way.portBeyond = UInt16(sent.frame[place]) << 8 | UInt16(sent.frame[place + 1])
        #expect(sent.frame == beyond(first, way, v6: v6).summedFrame)
        try answer(way, `protocol`, v6: v6, harness)
    }

    /// A packet as the backend gets it.
    private func beyond(_ packet: IPPacket, _ way: Way, v6: Bool) -> IPPacket {
        packet.redirected(to: ServiceTests.pod(.b, v6: v6), World.targetPort)
            .relabelled(as: packet.source, way.portBeyond)
    }

    /// A packet there and one back.
    private func exchange(_ way: Way, _ protocol: L4Protocol, v6: Bool, _ harness: PacketHarness) throws {
        let next = packet(way, `protocol`, v6: v6)
        let sent = try harness.pass(next, .egress)
        #expect(sent.frame == beyond(next, way, v6: v6).summedFrame)
        #expect(sent.returned == NP_ACTION_NEXT.rawValue)
        try answer(way, `protocol`, v6: v6, harness)
    }

    private func answer(_ way: Way, _ protocol: L4Protocol, v6: Bool, _ harness: PacketHarness) throws {
        let answer = ServiceTests.answer(
            `protocol`, v6: v6, from: ServiceTests.pod(.b, v6: v6), to: way.portBeyond)
        let got = try harness.pass(answer, .ingress)
        #expect(got.returned == NP_ACTION_NEXT.rawValue)
        #expect(
            got.frame
                == answer.relabelled(as: way.end, way.port).redirected(to: ServiceTests.pod(.a, v6: v6), Self.client)
                .summedFrame)
    }
}
