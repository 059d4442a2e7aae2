import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Support
import Testing

@testable import Datapath

/// Packets at the node's uplinks, one by one: docs/decisions/0026-host-policies.md.
@Suite("packets of the node at its uplinks", .needsRoot)
struct HostPacketTests {
    /// The programs with a node whose policies isolate it in both directions and allow nothing.
    final class Rig {
        let node: NodeDatapath
        let host: LoadedEndpoint
        private var counted: [UInt8: UInt64] = [:]
        private static let origin = RuleOrigin(
            kind: "CiliumClusterwideNetworkPolicy", namespace: "", name: "open", path: "")

        /// With `former` the node goes back to policies that let the world in at port 80.
        init(former: Bool = false) throws {
            var objects = ClusterObjects()
            objects.nodes = [
                Node(metadata: ObjectMeta(name: "node-1"), addresses: [false, true].map { HostPacketTests.own($0) })
            ]
            objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"])]
            objects.ciliumPolicies = [
                cilium(
                    nil, "closed",
                    CiliumRule(
                        subject: .nodes(LabelSelector()), ingress: [CiliumElement(path: "spec.ingress[0]")],
                        egress: [CiliumElement(path: "spec.egress[0]")]))
            ]
            var allocator = IdentityAllocator()
            let open = LoweredPolicy(
                subject: .nodes(LabelSelector()),
                ingress: DirectionRules(
                    isolates: true,
                    rules: [
                        PolicyRule(
                            action: .allow, peers: .anyOf([.entity(.world)]),
                            traffic: .anyOf([.ports(.tcp, PortRange(80))]), origin: Self.origin)
                    ]), egress: DirectionRules(isolates: true, rules: []), origin: Self.origin)
            let image = NodeCompiler.compile(
                objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, localNode: "node-1",
                allocator: &allocator, host: true, formerHost: former ? [open] : nil)
            var options = DatapathOptions(pins: nil, attachment: .none, flowSets: 1024)
            options.host = HostSettings(
                mode: .enforce,
                failsafes: [Failsafe(.ingress, .tcp, PortRange(22)), Failsafe(.egress, .udp, PortRange(53))])
            node = try NodeDatapath(options)
            _ = try node.apply(image, links: [:])
            host = try #require(node.endpoints[.host])
            counted = try node.packetsByReason().mapValues(\.packets)
        }

        /// What became of a packet; `nil`: it was counted nowhere. `arrival`: 0 for one that was made here.
        func send(_ frame: [UInt8], _ direction: Direction, by arrival: UInt32 = 7) throws -> VerdictReason? {
            var run = TestRun(frame: frame)
            run.ingressIfindex = arrival
            // What an uplink receives comes in where a pod's packets do.
            let returned = try run.run(direction == .ingress ? host.egressStub : host.ingressStub).returned
            let now = try node.packetsByReason().mapValues(\.packets)
            let moved = now.filter { $0.value != counted[$0.key, default: 0] }
            counted = now
            #expect(moved.count <= 1)
            let reason = moved.first.flatMap { VerdictReason(rawValue: $0.key) }
            #expect(
                (returned == NP_ACTION_SHOT.rawValue)
                    == (reason.map { VerdictReason.isDrop(wire: $0.rawValue) } ?? false))
            return reason
        }

        func change(_ body: (inout np_host) -> Void) throws {
            var value = try node.readHost()
            body(&value)
            try node.maps.host?.set(UInt32(0), value)
        }
    }

    static func own(_ v6: Bool) -> IPAddress {
        v6 ? IPAddress(high: 0xfd08 << 48, low: 1) : IPAddress(ipv4: 0x0a08_0001)
    }
    static func world(_ v6: Bool) -> IPAddress {
        v6 ? IPAddress(high: 0x2001_0db8 << 32, low: 8) : IPAddress(ipv4: 0x0808_0808)
    }

    private func tcp(_ from: IPAddress, _ source: UInt16, _ to: IPAddress, _ port: UInt16, _ flags: UInt8) -> [UInt8] {
        IPPacket(from, to, .tcp, Transport.tcp(source, port, flags: flags)).frame
    }

    private func udp(_ from: IPAddress, _ source: UInt16, _ to: IPAddress, _ port: UInt16) -> [UInt8] {
        IPPacket(from, to, .udp, Transport.udp(source, port)).frame
    }

    @Test("a pod's flow under the node's address comes back, and nothing else does", arguments: [false, true])
    func masqueraded(v6: Bool) throws {
        let rig = try Rig()
        let (own, world) = (Self.own(v6), Self.world(v6))
        let (syn, ack) = (Transport.TCPFlags.syn, Transport.TCPFlags.ack)
        // Before it has left there is no such flow.
        #expect(try rig.send(tcp(world, 443, own, 40_000, syn | ack), .ingress) == .policyDefault)
        #expect(try rig.send(tcp(own, 40_000, world, 443, syn), .egress, by: 5) == .transit)
        #expect(try rig.send(tcp(world, 443, own, 40_000, syn | ack), .ingress) == .transit)
        #expect(try rig.send(tcp(world, 443, own, 40_000, ack), .ingress) == .transit)
        // It opens nothing, and is of these ends only.
        #expect(try rig.send(tcp(world, 443, own, 40_000, syn), .ingress) == .policyDefault)
        #expect(try rig.send(tcp(world, 443, own, 40_001, ack), .ingress) == .policyDefault)
        // The node's own packets have no part in it.
        #expect(try rig.send(tcp(own, 40_000, world, 443, syn), .egress, by: 0) == .policyDefault)
        // What a router says of it.
        let sent = IPPacket(own, world, .tcp, Transport.tcp(40_000, 443, flags: ack))
        #expect(try rig.send(ICMPErrorTests.error(about: sent, from: world).frame, .ingress) == .transit)
        let other = IPPacket(own, world, .tcp, Transport.tcp(40_009, 443, flags: ack))
        #expect(try rig.send(ICMPErrorTests.error(about: other, from: world).frame, .ingress) == .policyDefault)
        // A pod's own address leaves nothing behind.
        let pod = v6 ? IPAddress(high: 0xfd00 << 48, low: 1) : IPAddress(ipv4: 0x0a00_0001)
        #expect(try rig.send(udp(pod, 50_000, world, 53), .egress, by: 5) == .transit)
        #expect(try rig.send(udp(world, 53, own, 50_000), .ingress) == .policyDefault)
    }

    @Test(
        "fail-safe ports pass without any policy program; a datagram's answer only after its question",
        arguments: [false, true])
    func failsafe(v6: Bool) throws {
        let rig = try Rig()
        let (own, world) = (Self.own(v6), Self.world(v6))
        let (syn, ack) = (Transport.TCPFlags.syn, Transport.TCPFlags.ack)
        #expect(try rig.send(tcp(world, 1000, own, 22, syn), .ingress) == .failsafe)
        #expect(try rig.send(tcp(own, 22, world, 1000, syn | ack), .egress, by: 0) == .failsafe)
        // From port 22 the node opens nothing.
        #expect(try rig.send(tcp(own, 22, world, 1000, syn), .egress, by: 0) == .policyDefault)
        #expect(try rig.send(udp(world, 53, own, 4000), .ingress) == .policyDefault)
        #expect(try rig.send(udp(own, 4000, world, 53), .egress, by: 0) == .failsafe)
        #expect(try rig.send(udp(world, 53, own, 4000), .ingress) == .reply)
        #expect(try rig.send(udp(world, 53, own, 4001), .ingress) == .policyDefault)

        var value = rig.host.value
        value.flags &= ~UInt32(NP_ENDPOINT_READY)
        try rig.node.maps.endpoints.set(rig.host.slot, value)
        #expect(try rig.send(tcp(world, 1000, own, 22, syn), .ingress) == .failsafe)
        #expect(try rig.send(tcp(own, 22, world, 1000, ack), .egress, by: 0) == .failsafe)
        #expect(try rig.send(udp(own, 4000, world, 53), .egress, by: 0) == .failsafe)
        #expect(try rig.send(tcp(world, 1000, own, 23, syn), .ingress) == .notReady)
    }

    @Test("a packet of the node meets the pod's policy also when host policies end while the node's is asked")
    func endsMeanwhile() throws {
        try PacketHarness.with { harness throws in
            let map = try harness.map("np_host")
            defer { try? map.set(UInt32(0), np_host()) }
            // Pod b stands for the node. np_to_pod of pod a has gone to it, and host policies are off by now.
            var host = np_host()
            host.slot = PacketWorld.Pod.b.rawValue
            try map.set(UInt32(0), host)
            try harness.set(.everything, .egress, of: .b)
            let scratch = try harness.map("np_scratch")
            let frame = tcp(PacketWorld.ipv4(254), 9, PacketWorld.ipv4(1), 80, Transport.TCPFlags.syn)
            func passes() throws -> Bool {
                var questions = try scratch.perCPUValues(of: 0, value: np_question())
                for cpu in questions.indices { questions[cpu].origin = PacketWorld.Pod.a.rawValue + 1 }
                try scratch.setPerCPU(0, questions)
                return try TestRun(frame: frame).run(harness.program("np_host_to_pod")).returned
                    != NP_ACTION_SHOT.rawValue
            }
            try harness.set(.everything, .ingress)
            #expect(try passes())
            // What the own node sends passes a pod's policy but for a deny.
            try harness.set(.only(.init(denies: true)), .ingress)
            #expect(try !passes())
        }
    }

    @Test("probes pass by the node's SYN, both ways; a connection that a pod has opened is cut when its rule goes")
    func probes() throws {
        try PacketHarness.with { harness throws in
            let map = try harness.map("np_host")
            defer { try? map.set(UInt32(0), np_host()) }
            // Pod b stands for the node.
            var host = np_host()
            (host.slot, host.mode, host.passes_probes) = (PacketWorld.Pod.b.rawValue, NP_HOST_ENFORCE.rawValue, 1)
            try map.set(UInt32(0), host)
            let scratch = try harness.map("np_scratch")
            let (syn, ack) = (Transport.TCPFlags.syn, Transport.TCPFlags.ack)
            let (pod, node) = (PacketWorld.ipv4(1), PacketWorld.ipv4(254))
            func passes(_ frame: [UInt8], fromPod: Bool) throws -> Bool {
                var questions = try scratch.perCPUValues(of: 0, value: np_question())
                for cpu in questions.indices { questions[cpu].origin = fromPod ? 0 : PacketWorld.Pod.a.rawValue + 1 }
                try scratch.setPerCPU(0, questions)
                var run = TestRun(frame: frame)
                run.ingressIfindex = fromPod ? PacketWorld.links(of: .a)[0] : 0
                let name = fromPod ? "np_host_from_pod" : "np_host_to_pod"
                return try run.run(harness.program(name)).returned != NP_ACTION_SHOT.rawValue
            }
            try harness.set(.only(.init(identity: PacketWorld.identityA, protocol: .tcp)), .ingress, of: .b)
            try harness.set(.closed, .egress, of: .b)
            #expect(try passes(tcp(pod, 40_000, node, 7000, syn), fromPod: true))
            #expect(try passes(tcp(node, 7000, pod, 40_000, syn | ack), fromPod: false))
            #expect(try passes(tcp(pod, 40_000, node, 7000, ack), fromPod: true))
            // The rule goes.
            try harness.set(.closed, .ingress, of: .b)
            #expect(try !passes(tcp(pod, 40_000, node, 7000, ack), fromPod: true))
            #expect(try !passes(tcp(node, 7000, pod, 40_000, ack), fromPod: false))
            // A probe.
            #expect(try passes(tcp(node, 50_000, pod, 80, syn), fromPod: false))
            #expect(try passes(tcp(pod, 80, node, 50_000, syn | ack), fromPod: true))
            try harness.bump(.b)
            #expect(try passes(tcp(node, 50_000, pod, 80, ack), fromPod: false))
            #expect(try passes(tcp(pod, 80, node, 50_000, ack), fromPod: true))
            #expect(try !passes(tcp(pod, 80, node, 50_001, ack), fromPod: true))
            #expect(try !passes(tcp(pod, 80, node, 50_000, syn), fromPod: true))
        }
    }

    @Test("groups and broadcast are for the node; what is neither IPv4 nor IPv6 is not looked at")
    func others() throws {
        let rig = try Rig()
        for group in [UInt32(0xe000_00fb), 0xefff_fffa, 0xffff_ffff] {
            #expect(
                try rig.send(udp(Self.world(false), 5353, IPAddress(ipv4: group), 5353), .ingress) == .policyDefault)
        }
        let all = IPAddress(high: 0xff02 << 48, low: 0xfb)
        #expect(try rig.send(udp(Self.world(true), 5353, all, 5353), .ingress) == .policyDefault)
        // To a pod.
        #expect(try rig.send(udp(Self.world(false), 53, IPAddress(ipv4: 0x0a00_0001), 53), .ingress) == .transit)
        var lldp = [UInt8](repeating: 0, count: 64)
        (lldp[12], lldp[13]) = (0x88, 0xcc)
        #expect(try rig.send(lldp, .ingress) == nil)
        #expect(try rig.send(lldp, .egress, by: 0) == nil)
    }

    @Test("modes: off asks nobody, audit passes what it would drop, a time that is over is the former mode's")
    func modes() throws {
        let rig = try Rig()
        let syn = tcp(Self.world(false), 1000, Self.own(false), 80, Transport.TCPFlags.syn)
        #expect(try rig.send(syn, .ingress) == .policyDefault)
        try rig.change { $0.mode = NP_HOST_AUDIT.rawValue }
        #expect(try rig.send(syn, .ingress) == .hostAudit)
        try rig.change { $0.mode = NP_HOST_OFF.rawValue }
        #expect(try rig.send(syn, .ingress) == nil)
        try rig.change { $0.mode = 77 }
        #expect(try rig.send(syn, .ingress) == .policyDefault)
        try rig.change { host in
            (host.mode, host.former) = (NP_HOST_ENFORCE.rawValue, NP_HOST_AUDIT.rawValue)
            host.until = MonotonicClock.nanoseconds + 3_600_000_000_000
        }
        #expect(try rig.send(syn, .ingress) == .policyDefault)
        try rig.change { $0.until = 1 }
        #expect(try rig.send(syn, .ingress) == .hostAudit)
        try rig.change { $0.former = NP_HOST_OFF.rawValue }
        #expect(try rig.send(syn, .ingress) == nil)
    }

    @Test(
        "a time that is over is the former policies': new flows and known ones meet them, and the others again when somebody tries again",
        arguments: [false, true])
    func formerPolicies(v6: Bool) throws {
        let rig = try Rig(former: true)
        let (own, world) = (Self.own(v6), Self.world(v6))
        let (syn, ack) = (Transport.TCPFlags.syn, Transport.TCPFlags.ack)
        func wait(_ until: UInt64) throws {
            try rig.change { host in
                (host.mode, host.former) = (NP_HOST_ENFORCE.rawValue, NP_HOST_ENFORCE.rawValue)
                host.until = until
            }
        }
        let host = try rig.node.readHost()
        #expect(host.former_fingerprint != 0 && host.former_fingerprint != host.fingerprint)
        #expect(host.former_revision != rig.host.value.revision && host.former_revision != 0)
        #expect(try rig.send(tcp(world, 1000, own, 80, syn), .ingress) == .policyDefault)
        try wait(MonotonicClock.nanoseconds + 3_600_000_000_000)
        #expect(try rig.send(tcp(world, 1000, own, 80, syn), .ingress) == .policyDefault)
        try wait(1)
        #expect(try rig.send(tcp(world, 1000, own, 80, syn), .ingress) == .allowed)
        #expect(try rig.send(tcp(own, 80, world, 1000, syn | ack), .egress, by: 0) == .reply)
        #expect(try rig.send(tcp(world, 1000, own, 80, ack), .ingress) == .established)
        #expect(try rig.send(tcp(world, 1000, own, 81, syn), .ingress) == .policyDefault)
        // What the former ones have let in is no flow of the others, whichever way its packet goes.
        try wait(MonotonicClock.nanoseconds + 3_600_000_000_000)
        #expect(try rig.send(tcp(world, 1000, own, 80, ack), .ingress) == .policyDefault)
        #expect(try rig.send(tcp(own, 80, world, 1000, ack), .egress, by: 0) == .policyDefault)
        try wait(1)
        #expect(try rig.send(tcp(world, 1000, own, 80, ack), .ingress) == .established)
        // Confirmed meanwhile: the time says nothing any more.
        try rig.change { $0.until = 0 }
        #expect(try rig.send(tcp(world, 2000, own, 80, syn), .ingress) == .policyDefault)
        // An error about a packet of a flow is judged as the flow.
        try wait(1)
        let sent = IPPacket(own, world, .tcp, Transport.tcp(80, 1000, flags: ack))
        #expect(try rig.send(ICMPErrorTests.error(about: sent, from: world).frame, .ingress) == .related)
        try wait(0)
        #expect(try rig.send(ICMPErrorTests.error(about: sent, from: world).frame, .ingress) == .policyDefault)
    }
}
