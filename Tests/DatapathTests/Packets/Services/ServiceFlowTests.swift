import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// What becomes of flows to Services while they, policies, and what is remembered change.
@Suite("flows to Services", .needsRoot)
struct ServiceFlowTests {
    typealias World = ServiceWorld
    typealias Flags = Transport.TCPFlags
    private static let client = ServiceTests.client

    @Test(
        "a port of a node is the Service's, its other ports are the node's", arguments: World.protocols, [false, true])
    func nodePort(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (node, backend) = (PacketWorld.address(254, ipv6: v6), ServiceTests.pod(.b, v6: v6))
            try harness.serve(`protocol`, at: node, port: 30080, by: [.init(backend)])
            try harness.set(.only(.init(identity: PacketWorld.identityB)), .egress)
            let request = World.packet(
                `protocol`, from: ServiceTests.pod(.a, v6: v6), Self.client, to: node, 30080, flags: Flags.syn, chunk: 1
            )
            let sent = try harness.pass(request, .egress)
            #expect(sent.reason == NP_REASON_ALLOWED)
            #expect(sent.frame == request.redirected(to: backend, World.targetPort).summedFrame)
            let answer = ServiceTests.answer(`protocol`, v6: v6, from: backend)
            #expect(try harness.pass(answer, .ingress).frame == answer.relabelled(as: node, 30080).summedFrame)
            let other = World.packet(
                `protocol`, from: ServiceTests.pod(.a, v6: v6), Self.client, to: node, 30081, flags: Flags.syn, chunk: 1
            )
            #expect(try harness.pass(other, .egress).reason == NP_DROP_POLICY_DEFAULT)
            try harness.set(.only(.init(identity: PacketWorld.host)), .egress)
            #expect(try harness.pass(other, .egress).reason == NP_REASON_ALLOWED)
            #expect(try harness.pass(request, .egress).reason == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test(
        "a NodePort at the node's own address that leads elsewhere is none of the node's, whichever packet it is",
        arguments: [false, true])
    func host(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let map = try harness.map("np_host")
            defer { try? map.set(UInt32(0), np_host()) }
            // Pod b stands for the node.
            var host = np_host()
            (host.slot, host.mode) = (PacketWorld.Pod.b.rawValue, NP_HOST_ENFORCE.rawValue)
            let (node, remote) = (PacketWorld.address(254, ipv6: v6), PacketWorld.address(3, ipv6: v6))
            func packet(_ port: UInt16, to: IPAddress, _ flags: UInt8) -> [UInt8] {
                World.packet(.tcp, from: ServiceTests.pod(.a, v6: v6), Self.client, to: to, port, flags: flags)
                    .summedFrame
            }
            func allow(_ policy: PacketPolicy) throws {
                try harness.set(policy, .ingress, of: .b)
                let endpoints = try harness.map("np_endpoints")
                var value = try endpoints.value(of: host.slot, initial: np_endpoint()) ?? np_endpoint()
                value.isHost = true
                try endpoints.set(host.slot, value)
            }
            func passes(_ frame: [UInt8]) throws -> Bool {
                try harness.outcome(frame, .egress, of: .a).returned == NP_ACTION_NEXT.rawValue
            }
            func isAnswered(by backend: IPAddress) throws -> Bool {
                let answer = World.packet(
                    .tcp, from: backend, World.targetPort, to: ServiceTests.pod(.a, v6: v6), Self.client,
                    flags: Flags.syn | Flags.ack)
                return try harness.outcome(answer.summedFrame, .ingress, of: .a).returned == NP_ACTION_NEXT.rawValue
            }
            // A NodePort at the node's own address leads away from it.
            try harness.serve(.tcp, at: node, port: 30080, by: [.init(remote)])
            try allow(.closed)
            try map.set(UInt32(0), host)
            #expect(try passes(packet(30080, to: node, Flags.syn)))
            #expect(try isAnswered(by: remote))
            for _ in 0..<5 { #expect(try passes(packet(30080, to: node, Flags.ack))) }
            #expect(try !passes(packet(30081, to: node, Flags.ack)))
            try harness.recount()
        }
    }

    @Test("a pod that sends in a Service's name is spoofing", arguments: [false, true])
    func spoofed(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(ServiceTests.pod(.b, v6: v6))])
            for source in [World.frontend(v6: v6), World.loopback(v6: v6)] {
                let packet = World.packet(.tcp, from: source, World.port, to: ServiceTests.pod(.b, v6: v6), 40000)
                #expect(try harness.pass(packet, .egress).reason == NP_DROP_SPOOFED_SOURCE)
            }
        }
    }

    @Test(
        "the Service's port may be the backend's, and every port has its own backends", arguments: World.protocols,
        [false, true])
    func ports(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            for (port, target) in [(80, 80), (443, 8443), (81, 80)] as [(UInt16, UInt16)] {
                try harness.serve(
                    `protocol`, at: World.frontend(v6: v6), port: port, by: [.init(backend, port: target)],
                    service: UInt32(port))
            }
            for (port, target) in [(80, 80), (443, 8443), (81, 80)] as [(UInt16, UInt16)] {
                let own = Self.client + port
                for flags in [Flags.syn, Flags.ack] {
                    let request = World.packet(
                        `protocol`, from: ServiceTests.pod(.a, v6: v6), own, to: World.frontend(v6: v6), port,
                        flags: flags, chunk: flags == Flags.syn ? 1 : 0)
                    #expect(
                        try harness.pass(request, .egress).frame == request.redirected(to: backend, target).summedFrame)
                }
                let answer = World.packet(`protocol`, from: backend, target, to: ServiceTests.pod(.a, v6: v6), own)
                #expect(
                    try harness.pass(answer, .ingress).frame
                        == answer.relabelled(as: World.frontend(v6: v6), port).summedFrame)
            }
        }
    }

    @Test(
        "an established connection is cut at its next packet when the backend is denied, both ways",
        arguments: [false, true])
    func revokedConnection(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(backend)])
            let deny = PacketPolicy(isolates: false, rules: [.init(identity: PacketWorld.identityB, denies: true)])
            for ingress in [PacketPolicy.open, .closed] {
                try harness.forgetFlows()
                try harness.set(ingress, .ingress)
                try harness.set(.open, .egress)
                try connect(v6: v6, harness)
                for _ in 0..<3 {
                    #expect(
                        try harness.pass(ServiceTests.request(.tcp, v6: v6), .egress).reason == NP_REASON_ESTABLISHED)
                }
                try harness.set(deny, .egress)
                #expect(
                    try harness.pass(ServiceTests.answer(.tcp, v6: v6, from: backend), .ingress).reason
                        == NP_DROP_POLICY_DENY)
                for _ in 0..<2 {
                    #expect(try harness.pass(ServiceTests.request(.tcp, v6: v6), .egress).reason == NP_DROP_POLICY_DENY)
                }
                try harness.set(.open, .egress)
                #expect(try harness.pass(ServiceTests.request(.tcp, v6: v6), .egress).reason == NP_REASON_REVALIDATED)
                #expect(try harness.pass(ServiceTests.request(.tcp, v6: v6), .egress).reason == NP_REASON_ESTABLISHED)
            }
        }
    }

    private func connect(v6: Bool, _ harness: PacketHarness) throws {
        let backend = ServiceTests.pod(.b, v6: v6)
        _ = try harness.pass(ServiceTests.request(.tcp, v6: v6, first: true), .egress)
        _ = try harness.pass(
            ServiceTests.answer(.tcp, v6: v6, from: backend, flags: Flags.syn | Flags.ack), .ingress)
        _ = try harness.pass(ServiceTests.request(.tcp, v6: v6), .egress)
    }

    @Test("both entries of a connection see its end, and its ports begin anew", arguments: [false, true])
    func closing(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            try harness.serve(.tcp, at: World.frontend(v6: v6), by: [.init(backend)])
            for end in [Flags.fin | Flags.ack, Flags.rst] {
                try harness.forgetFlows()
                try connect(v6: v6, harness)
                #expect(try harness.flows(of: .a).allSatisfy { $0.flags & UInt32(NP_ENTRY_ANSWERED) != 0 })
                let last = World.packet(
                    .tcp, from: ServiceTests.pod(.a, v6: v6), Self.client, to: World.frontend(v6: v6), World.port,
                    flags: end)
                #expect(try harness.pass(last, .egress).frame == last.redirected(to: backend, 8080).summedFrame)
                let other = ServiceTests.answer(.tcp, v6: v6, from: backend, flags: end)
                #expect(
                    try harness.pass(other, .ingress).frame
                        == other.relabelled(as: World.frontend(v6: v6), World.port).summedFrame)
                let closed =
                    end == Flags.rst ? UInt32(NP_ENTRY_RST) : UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)
                #expect(try harness.flows(of: .a).allSatisfy { $0.flags & closed == closed })
                // Again, from the same port.
                try connect(v6: v6, harness)
                #expect(try harness.flows(of: .a).allSatisfy { $0.flags & closed == 0 })
                #expect(try harness.flows(of: .a).count == 2)
            }
        }
    }

    @Test(
        "a connection to the address itself goes on as it was when a Service appears there, and so does one to a Service that goes",
        arguments: [.tcp, .sctp] as [L4Protocol], [false, true])
    func appearing(protocol: L4Protocol, v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (frontend, backend) = (World.frontend(v6: v6), ServiceTests.pod(.b, v6: v6))
            try harness.raise(NP_STATE_ALWAYS, .egress)
            let first = ServiceTests.request(`protocol`, v6: v6, first: true)
            let next = ServiceTests.request(`protocol`, v6: v6)
            #expect(try harness.pass(first, .egress).frame == first.summedFrame)
            try harness.serve(`protocol`, at: frontend, by: [.init(backend)])
            for _ in 0..<2 { #expect(try harness.pass(next, .egress).frame == next.summedFrame) }
            // A new one goes to the Service, and on there when that goes.
            #expect(try harness.pass(first, .egress).frame == first.redirected(to: backend, 8080).summedFrame)
            try harness.unserve(`protocol`, at: frontend)
            for _ in 0..<2 {
                #expect(try harness.pass(next, .egress).frame == next.redirected(to: backend, 8080).summedFrame)
            }
            #expect(try harness.pass(first, .egress).frame == first.summedFrame)
            #expect(try harness.pass(next, .egress).frame == next.summedFrame)
        }
    }

    @Test(
        "where no entry finds room the packet is dropped under its name, and what is remembered leads nowhere",
        arguments: [false, true])
    func full(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            try harness.serve(.udp, at: World.frontend(v6: v6), by: [.init(backend)])
            // One set: four entries, and all of them answered.
            try harness.setRegion(UInt32(2 * PacketHarness.firstSet(of: .a) + 1))
            var dropped = 0
            for port in Self.client..<Self.client + 6 {
                let request = ServiceTests.request(.udp, v6: v6, from: port)
                let sent = try harness.pass(request, .egress)
                if sent.reason == NP_DROP_CONNTRACK_FULL {
                    #expect(sent.returned == NP_ACTION_SHOT.rawValue)
                    dropped += 1
                } else {
                    #expect(sent.frame == request.redirected(to: backend, 8080).summedFrame)
                    let answer = ServiceTests.answer(.udp, v6: v6, from: backend, to: port)
                    #expect(
                        try harness.pass(answer, .ingress).frame
                            == answer.relabelled(as: World.frontend(v6: v6), World.port).summedFrame)
                    _ = try harness.pass(request, .egress)
                }
            }
            #expect(dropped == 4)
            // No region at all.
            try harness.setRegion(0)
            let request = ServiceTests.request(.udp, v6: v6, from: 1)
            #expect(try harness.pass(request, .egress).reason == NP_DROP_CONNTRACK_FULL)
            try harness.serve(.udp, at: World.other(v6: v6), by: [.init(ServiceTests.pod(.a, v6: v6))], service: 2)
            let toItself = ServiceTests.request(.udp, v6: v6, from: 1, to: World.other(v6: v6))
            let hairpin = try harness.pass(toItself, .egress)
            #expect(hairpin.reason == NP_DROP_CONNTRACK_FULL && hairpin.returned == NP_ACTION_SHOT.rawValue)
        }
    }

    @Test(
        "a backend of another generation, or of none as after an upgrade, is chosen anew for UDP",
        arguments: [false, true])
    func unknownGeneration(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let (old, new) = (ServiceTests.pod(.b, v6: v6), PacketWorld.address(3, ipv6: v6))
            for `protocol` in World.protocols {
                try harness.forgetFlows()
                let number = UInt32(`protocol`.rawValue)
                try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [.init(old)], service: number)
                _ = try harness.pass(ServiceTests.request(`protocol`, v6: v6, first: true), .egress)
                // As flows are carried over: `CarriedPods`.
                try harness.changeFlows {
                    $0.revision = 0
                    if $0.flags & UInt32(NP_ENTRY_FRONTEND) != 0 { $0.arrival = 0 }
                }
                try harness.serve(`protocol`, at: World.frontend(v6: v6), by: [.init(new)], service: number)
                let next = ServiceTests.request(`protocol`, v6: v6)
                let goal = `protocol` == .udp ? new : old
                for _ in 0..<2 {
                    #expect(try harness.pass(next, .egress).frame == next.redirected(to: goal, 8080).summedFrame)
                }
                #expect(
                    try harness.pass(ServiceTests.answer(`protocol`, v6: v6, from: goal), .ingress).frame
                        == ServiceTests.answer(`protocol`, v6: v6, from: goal)
                        .relabelled(as: World.frontend(v6: v6), World.port).summedFrame)
            }
        }
    }

    @Test("headers of other sizes, and UDP without a checksum", arguments: [false, true])
    func headers(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            let backend = ServiceTests.pod(.b, v6: v6)
            for `protocol` in World.protocols {
                try harness.serve(
                    `protocol`, at: World.frontend(v6: v6), by: [.init(backend)], service: UInt32(`protocol`.rawValue))
                for isFirst in [true, false, false] {
                    let request = ServiceTests.request(`protocol`, v6: v6, first: isFirst).with {
                        if v6 { $0.extensions = [(60, [0, 1, 4, 0, 0, 0, 0])] } else { $0.options = [1, 1, 1, 1] }
                    }
                    #expect(
                        try harness.pass(request, .egress).frame == request.redirected(to: backend, 8080).summedFrame)
                }
            }
            let without = ServiceTests.request(.udp, v6: v6).with { $0.payload.replaceSubrange(6..<8, with: [0, 0]) }
            #expect(
                try harness.pass(without, .egress).frame
                    == without.redirected(to: backend, 8080).with { $0.payload.replaceSubrange(6..<8, with: [0, 0]) }
                    .summedFrame)
        }
    }

    @Test(
        "a finished TCP checksum that looks like one still to be made, and addresses of the same sum",
        arguments: [false, true])
    func lookalikes(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            // The words of this address add up to those of pod B's.
            let twin = v6 ? IPAddress(high: 0xfc00_0100_0000_0000, low: 2) : IPAddress(ipv4: 0x0000_0a02)
            for (number, frontend) in [World.frontend(v6: v6), twin].enumerated() {
                try harness.serve(
                    .tcp, at: frontend, by: [.init(ServiceTests.pod(.b, v6: v6))], service: UInt32(number + 1))
                for flags in [Flags.syn, Flags.ack] {
                    let packet = Self.lookalike(to: frontend, flags: flags, v6: v6)
                    #expect(
                        try harness.pass(packet, .egress).frame
                            == packet.redirected(to: ServiceTests.pod(.b, v6: v6), 8080).summedFrame)
                }
                try harness.forgetFlows()
            }
        }
    }

    /// A packet whose checksum is the sum of its pseudo header.
    private static func lookalike(to frontend: IPAddress, flags: UInt8, v6: Bool) -> IPPacket {
        func packet(_ word: UInt16) -> IPPacket {
            World.packet(
                .tcp, from: ServiceTests.pod(.a, v6: v6), client, to: frontend, World.port, flags: flags,
                data: word.bigEndianBytes)
        }
        let plain = packet(0)
        let count = v6 ? 16 : 4
        let pseudo = ~Checksums.internet(
            Array(plain.source.bytes.suffix(count) + plain.destination.bytes.suffix(count))
                + UInt32(plain.payload.count).bigEndianBytes + [0, 0, 0, 6])
        func checksum(_ packet: IPPacket) -> UInt16 { UInt16(packet.payload[16]) << 8 | UInt16(packet.payload[17]) }
        let sum = UInt32(~pseudo) + UInt32(checksum(plain))
        let found = packet(UInt16(truncatingIfNeeded: sum & 0xffff + sum >> 16))
        #expect(checksum(found) == pseudo)
        return found
    }
}
