import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("Services", .needsRoot)
struct ServiceTests {
    typealias Flags = Transport.TCPFlags
    typealias World = ServiceWorld

    static let client: UInt16 = 40000

    static func pod(_ pod: PacketWorld.Pod, v6: Bool) -> IPAddress { PacketWorld.address(pod.rawValue, ipv6: v6) }

    /// A packet of pod A to the Service.
    static func request(
        _ protocol: L4Protocol, v6: Bool, from port: UInt16 = client, to frontend: IPAddress? = nil,
        first: Bool = false, data: [UInt8] = [1, 2, 3, 4, 5]
    ) -> IPPacket {
        World.packet(
            `protocol`, from: pod(.a, v6: v6), port, to: frontend ?? World.frontend(v6: v6), World.port,
            flags: first ? Flags.syn : Flags.ack, chunk: first ? 1 : 0, data: data)
    }

    /// A packet of a backend to pod A.
    static func answer(
        _ protocol: L4Protocol, v6: Bool, from backend: IPAddress, to port: UInt16 = client,
        flags: UInt8 = Flags.ack, data: [UInt8] = [6, 7, 8]
    ) -> IPPacket {
        World.packet(`protocol`, from: backend, World.targetPort, to: pod(.a, v6: v6), port, flags: flags, data: data)
    }

    @Test(
        "a packet to a Service goes to its backend, and the answer comes from the Service",
        arguments: World.protocols, [false, true])
    func thereAndBack(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = Self.pod(.b, v6: v6)
            try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [.init(backend)])
            for isolated in [false, true] {
                try harness.forgetFlows()
                if isolated {
                    try harness.set(.closed, .ingress)
                    try harness.set(
                        .only(.init(identity: PacketWorld.identityB, protocol: `protocol`, ports: .init(8080))), .egress
                    )
                }
                let first = Self.request(`protocol`, v6: v6, first: true)
                let sent = try harness.pass(first, .egress)
                #expect(sent.reason == NP_REASON_ALLOWED)
                #expect(sent.returned == NP_ACTION_NEXT.rawValue)
                #expect(sent.frame == first.redirected(to: backend, World.targetPort).summedFrame)

                let answer = Self.answer(`protocol`, v6: v6, from: backend, flags: Flags.syn | Flags.ack)
                let got = try harness.pass(answer, .ingress)
                #expect(got.reason == NP_REASON_REPLY)
                #expect(got.frame == answer.relabelled(as: World.frontend(v6: v6), World.port).summedFrame)

                let next = Self.request(`protocol`, v6: v6)
                let established = try harness.pass(next, .egress)
                #expect(established.reason == NP_REASON_ESTABLISHED)
                #expect(established.frame == next.redirected(to: backend, World.targetPort).summedFrame)
                #expect(try harness.flows(of: .a).count == 2)
            }
        }
    }

    @Test(
        "a deny of the backend's pod is not bypassed through the Service, and leaves nothing behind",
        arguments: [false, true])
    func denied(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = Self.pod(.b, v6: v6)
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(backend)], affinity: 60)
            try harness.set(
                PacketPolicy(
                    isolates: false, rules: [.init(identity: PacketWorld.identityB, denies: true)]), .egress)
            let dropped = try harness.pass(Self.request(.tcp, v6: v6, first: true), .egress)
            #expect(dropped.reason == NP_DROP_POLICY_DENY)
            #expect(try harness.flows(of: .a).isEmpty)
            #expect(try harness.map("np_affinities").entries(key: np_affinity_key(), value: np_affinity()).isEmpty)
        }
    }

    @Test("the address of a Service is nothing that policy must allow, and its port neither", arguments: [false, true])
    func frontendUnseen(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(Self.pod(.b, v6: v6))])
            try harness.set(.only(.init(protocol: .tcp, ports: .init(World.port))), .egress)
            #expect(
                try harness.pass(Self.request(.tcp, v6: v6, first: true), .egress).reason == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test(
        "where policy needs no state, answers are translated all the same, after a change of policies too",
        arguments: World.protocols, [false, true])
    func stateless(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = Self.pod(.b, v6: v6)
            try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [.init(backend)])
            #expect(
                try harness.pass(Self.request(`protocol`, v6: v6, first: true), .egress).reason == NP_REASON_ALLOWED)
            let answer = Self.answer(`protocol`, v6: v6, from: backend)
            let named = answer.relabelled(as: World.frontend(v6: v6), World.port).summedFrame
            #expect(try harness.pass(answer, .ingress).frame == named)
            try harness.bump(.a)
            let revalidated = try harness.pass(answer, .ingress)
            #expect(revalidated.frame == named)
            #expect(revalidated.reason == NP_REASON_REVALIDATED)
            try harness.bump(.a)
            #expect(
                try harness.pass(Self.request(`protocol`, v6: v6), .egress).reason == NP_REASON_REVALIDATED)
            #expect(try harness.pass(answer, .ingress).reason == NP_REASON_REPLY)
        }
    }

    @Test("a revoked flow to a Service is cut in both directions", arguments: [false, true])
    func revoked(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = Self.pod(.b, v6: v6)
            try harness.serve(.udp, at: World.frontend(v6: v6), by: [.init(backend)])
            try harness.set(.closed, .ingress)
            #expect(try harness.pass(Self.request(.udp, v6: v6), .egress).reason == NP_REASON_ALLOWED)
            try harness.set(.closed, .egress)
            #expect(
                try harness.pass(Self.answer(.udp, v6: v6, from: backend), .ingress).reason == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.pass(Self.request(.udp, v6: v6), .egress).reason == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("ports, addresses and protocols that no Service has are judged as they are", arguments: [false, true])
    func elsewhere(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(Self.pod(.b, v6: v6))])
            let plain = [
                World.packet(.tcp, from: Self.pod(.a, v6: v6), 1, to: World.frontend(v6: v6), 81, flags: Flags.syn),
                World.packet(.udp, from: Self.pod(.a, v6: v6), 1, to: World.frontend(v6: v6), World.port),
                // A ClusterIP answers no pings, as with kube-proxy: what is sent there goes where the node sends it.
                IPPacket(
                    Self.pod(.a, v6: v6), World.frontend(v6: v6), v6 ? .icmpv6 : .icmp,
                    Transport.icmp(v6 ? 128 : 8, identifier: 7)
                ).summed,
                World.packet(
                    .tcp, from: Self.pod(.a, v6: v6), 1, to: PacketWorld.address(3, ipv6: v6), World.port,
                    flags: Flags.syn),
            ]
            for packet in plain {
                let passed = try harness.pass(packet, .egress)
                #expect(passed.reason == NP_REASON_ALLOWED)
                #expect(passed.frame == packet.summedFrame)
            }
            try harness.set(.closed, .egress)
            for packet in plain { #expect(try harness.pass(packet, .egress).reason == NP_DROP_POLICY_DEFAULT) }
        }
    }

    @Test("a Service comes and goes under flows to its address, and no entry is left twice", arguments: [false, true])
    func comingAndGoing(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let frontend = World.frontend(v6: v6)
            let backend = Self.pod(.b, v6: v6)
            try harness.raise(NP_STATE_ALWAYS, .egress)
            let packet = Self.request(.udp, v6: v6)
            #expect(try harness.pass(packet, .egress).frame == packet.summedFrame)
            try harness.serve(.udp, at: frontend, by: [.init(backend)])
            for _ in 0..<3 {
                #expect(
                    try harness.pass(packet, .egress).frame
                        == packet.redirected(to: backend, World.targetPort).summedFrame)
            }
            #expect(try harness.flows(of: .a).count == 2)
            try harness.unserve(.udp, at: frontend)
            for _ in 0..<3 { #expect(try harness.pass(packet, .egress).frame == packet.summedFrame) }
            #expect(try harness.flows(of: .a).count == 2)
        }
    }

    @Test("flows spread over the backends, and each stays at its own whatever happens to the others")
    func spreading() throws {
        try PacketHarness.with { harness throws in
            let backends = [Self.pod(.b, v6: false), PacketWorld.ipv4(3)]
            try harness.serve(.tcp, at: World.frontend(v6: false), by: backends.map { .init($0) })
            var chosen: [UInt16: [UInt8]] = [:]
            for port in Self.client..<Self.client + 64 {
                let first = Self.request(.tcp, v6: false, from: port, first: true)
                chosen[port] = Array(try harness.pass(first, .egress).frame[30..<34])
            }
            #expect(Set(chosen.values).count == 2)
            #expect(chosen.values.filter { $0 == backends[0].bytes.suffix(4) }.count > 16)
            #expect(chosen.values.filter { $0 == backends[1].bytes.suffix(4) }.count > 16)
            // Now another one only.
            try harness.serve(.tcp, at: World.frontend(v6: false), by: [.init(PacketWorld.ipv4(9))], service: 2)
            for (port, address) in chosen {
                let next = Self.request(.tcp, v6: false, from: port)
                #expect(Array(try harness.pass(next, .egress).frame[30..<34]) == address)
            }
        }
    }

    @Test(
        "UDP and new connections leave a backend that is not to be used any more, connections stay",
        arguments: [false, true])
    func leaving(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let frontend = World.frontend(v6: v6)
            let (old, new) = (Self.pod(.b, v6: v6), PacketWorld.address(3, ipv6: v6))
            for change in ["unusable", "another"] {
                try harness.forgetFlows()
                for `protocol` in World.protocols {
                    try harness.serve(`protocol`, at: frontend, by: [.init(old)], service: UInt32(`protocol`.rawValue))
                    let first = Self.request(`protocol`, v6: v6, first: true)
                    #expect(try harness.pass(first, .egress).frame == first.redirected(to: old, 8080).summedFrame)
                    var gone = World.Backend(old)
                    if change == "unusable" { gone.flags = 0 } else { gone.generation = 2 }
                    try harness.serve(`protocol`, at: frontend, by: [gone], service: UInt32(`protocol`.rawValue))
                    try harness.serve(`protocol`, at: frontend, by: [.init(new)], service: 200)
                    let next = Self.request(`protocol`, v6: v6)
                    let stays = `protocol` != .udp
                    #expect(
                        try harness.pass(next, .egress).frame
                            == next.redirected(to: stays ? old : new, 8080).summedFrame, "\(`protocol`) \(change)")
                    #expect(
                        try harness.pass(first, .egress).frame == first.redirected(to: new, 8080).summedFrame,
                        "\(`protocol`) \(change)")
                    let answer = Self.answer(`protocol`, v6: v6, from: new)
                    #expect(
                        try harness.pass(answer, .ingress).frame
                            == answer.relabelled(as: frontend, World.port).summedFrame)
                }
            }
        }
    }

    @Test("a client's flows go where its first one went, as long as the Service wants that", arguments: [false, true])
    func affinity(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backends = [Self.pod(.b, v6: v6), PacketWorld.address(3, ipv6: v6)]
            try harness.serve(
                .tcp, at: World.frontend(v6: v6), by: backends.map { .init($0) }, affinity: 3600)
            let range = v6 ? 38..<54 : 30..<34
            func choices() throws -> Set<[UInt8]> {
                try Set(
                    (Self.client..<Self.client + 32).map { port in
                        let first = Self.request(.tcp, v6: v6, from: port, first: true)
                        return Array(try harness.pass(first, .egress).frame[range])
                    })
            }
            #expect(try choices().count == 1)
            try harness.forgetFlows()
            #expect(try choices().count == 1)
            // Long ago.
            let key = np_affinity_key(endpoint: PacketHarness.Pod.a.rawValue, service: 1)
            let affinities = try harness.map("np_affinities")
            var entry = try #require(try affinities.value(of: key, initial: np_affinity()))
            var elsewhere = 0
            for port in Self.client..<Self.client + 32 {
                try harness.forgetFlows()
                entry.last_seen &-= 3601
                try affinities.set(key, entry)
                let first = Self.request(.tcp, v6: v6, from: port, first: true)
                _ = try harness.pass(first, .egress)
                let renewed = try #require(try affinities.value(of: key, initial: np_affinity()))
                if renewed.backend != entry.backend { elsewhere += 1 }
                entry = renewed
            }
            #expect(elsewhere > 4)
        }
    }
}
