import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import Datapath

/// Random packets over random Services, through the kernel and through `ServiceModel`. NETPOLD_PACKETS sets how many.
@Suite("random packets to Services", .needsRoot)
struct ServiceRandomTests {
    typealias Flags = Transport.TCPFlags
    private static let packets = getenv("NETPOLD_PACKETS").flatMap { Int(String(cString: $0)) } ?? 6_000
    private static let round = 1_500

    @Test("the kernel does with every packet what kube-proxy means, and every frame is right to the last byte")
    func agreesWithTheModel() throws {
        var kinds: [String: Int] = [:]
        var differences = 0
        try PacketHarness.with { harness throws in
            for (number, start) in stride(from: 0, to: Self.packets, by: Self.round).enumerated() {
                try harness.reset()
                var run = try ServiceRun(seed: UInt64(number), harness)
                for index in 0..<min(Self.round, Self.packets - start) where differences == 0 {
                    let (kind, difference) = try run.step()
                    kinds[kind, default: 0] += 1
                    if let difference {
                        differences += 1
                        Issue.record("seed \(number), packet \(index): \(difference)")
                    }
                }
            }
        }
        let summary = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("Service packets: \(Self.packets), \(differences) differences; \(summary)")
        for kind in [
            "plain", "new", "known", "moved", "refused", "denied", "hairpin", "answer", "other port", "revoked answer",
        ] {
            #expect(kinds[kind, default: 0] > 0, "no packet was \(kind)")
        }
    }
}

/// One round: Services, policies and packets from one seed.
private struct ServiceRun {
    typealias Flags = Transport.TCPFlags
    typealias End = ServiceModel.End
    typealias Flow = ServiceModel.Flow

    private var random: SplitMix64
    private let harness: PacketHarness
    private var model = ServiceModel()
    private var tables: ServiceTables
    private let maps: ServiceMaps
    private var policy = PacketPolicy.open
    private var marked: Set<IPAddress> = []
    /// Addresses that Services have or had: their marks stay while flows go on there.
    private var fronts: Set<IPAddress> = []
    private var time: UInt64 = 0

    init(seed: UInt64, _ harness: PacketHarness) throws {
        random = SplitMix64(seed: seed)
        self.harness = harness
        let names = ["np_services", "np_maglev", "np_backends", "np_backend_ends"]
        maps = try #require(ServiceMaps(try names.map { try harness.map($0) }))
        tables = try maps.read(now: 0)
        try changeServices()
        harness.translates = true
        try changePolicies()
    }

    /// A packet and what came of it, by name; and what is wrong about that.
    mutating func step() throws -> (kind: String, difference: String?) {
        if random.once(in: 60) { try changeServices() }
        if random.once(in: 90) { try changePolicies() }
        let live = model.lives.filter { !$0.value.isOver }.keys.sorted(by: Self.precedes)
        if !live.isEmpty, random.once(in: 3) { return try answer(random.pick(live)) }
        let flow = !live.isEmpty && !random.once(in: 3) ? random.pick(live) : newFlow()
        return try send(flow)
    }

    private static func precedes(_ left: Flow, _ right: Flow) -> Bool {
        (left.protocol.rawValue, left.port, left.to.address, left.to.port)
            < (right.protocol.rawValue, right.port, right.to.address, right.to.port)
    }

    // MARK: the world

    private static func address(_ number: UInt32, v6: Bool) -> IPAddress { PacketWorld.address(number, ipv6: v6) }

    private static func backends(v6: Bool) -> [ServiceBackend] {
        [
            ServiceBackend(address: address(1, v6: v6), port: 8080),
            ServiceBackend(address: address(2, v6: v6), port: 8080),
            ServiceBackend(address: address(2, v6: v6), port: 80),
            ServiceBackend(address: address(3, v6: v6), port: 8080),
            ServiceBackend(address: address(9, v6: v6), port: 9090),
            ServiceBackend(address: address(10, v6: v6), port: 8080),
        ]
    }

    private static let frontendNumbers: [UInt32] = [0x60_0010, 0x60_0011, 0x60_0012, 0x60_0013]

    private mutating func changeServices() throws {
        var frontends: [ServiceFrontend] = []
        for v6 in [false, true] {
            for number in Self.frontendNumbers where !random.once(in: 6) {
                for `protocol` in ServiceWorld.protocols where !random.once(in: 4) {
                    let backends = random.once(in: 6) ? [] : random.some(Self.backends(v6: v6), upTo: 4)
                    frontends.append(
                        ServiceFrontend(
                            address: Self.address(number, v6: v6), port: 80, protocol: `protocol`, kind: .clusterIP,
                            service: ServiceName(namespace: "n", name: "s\(number)"), portName: "\(`protocol`)",
                            affinitySeconds: number == Self.frontendNumbers[0] ? 10_800 : 0, backends: backends.sorted()
                        ))
                }
            }
        }
        time += 10
        let change = tables.change(to: frontends, now: time)
        try maps.write(change)
        try maps.finish(change)
        tables.released()
        model.set(frontends)
        // Marks, as the writer gives them.
        let addresses = try harness.map("np_addresses")
        for address in marked { try addresses.remove(np_address(address)) }
        try harness.fillAddresses()
        let loopbacks = [false, true].map { ServiceWorld.loopback(v6: $0) }
        fronts.formUnion(tables.entries.keys.map(\.address) + loopbacks)
        let ends = Set(tables.knownEnds.map(\.backend.address))
        for address in fronts.union(ends) {
            var value = PacketWorld.exact.first { $0.address == address }?.identity ?? 0
            if value == 0, !fronts.contains(address) { value = PacketWorld.outsideIdentity(of: address) }
            if fronts.contains(address) { value |= UInt32(NP_IDENTITY_FRONTEND) }
            if ends.contains(address) { value |= UInt32(NP_IDENTITY_BACKEND) }
            try addresses.set(np_address(address), value)
        }
        marked = fronts.union(ends)
    }

    private mutating func changePolicies() throws {
        let identities: [UInt32?] = [
            nil, PacketWorld.identityA, PacketWorld.identityB, PacketWorld.identityC, PacketWorld.worldIPv4,
            PacketWorld.worldIPv6,
        ]
        let rules = (0..<random.below(5)).map { _ in
            PacketPolicy.Rule(
                identity: random.pick(identities), protocol: random.pick([nil, .tcp, .udp, .sctp]),
                ports: random.pick([.all, .all, PortRange(8080), PortRange(80)]), denies: random.once(in: 3))
        }
        policy = random.once(in: 4) ? .open : PacketPolicy(isolates: random.once(in: 2), rules: rules)
        try harness.set(policy, .egress)
        try harness.set(random.pick([.open, .closed, .everything]), .ingress)
    }

    private mutating func newFlow() -> Flow {
        let v6 = random.once(in: 2)
        let port = UInt16(40_000 + random.below(12))
        let `protocol` = random.pick(ServiceWorld.protocols)
        if random.once(in: 3) {
            let straight = random.pick(Array(Self.backends(v6: v6).dropFirst()))
            return Flow(protocol: `protocol`, port: port, to: End(address: straight.address, port: straight.port))
        }
        return Flow(
            protocol: `protocol`, port: port,
            to: End(address: Self.address(random.pick(Self.frontendNumbers), v6: v6), port: 80))
    }

    // MARK: packets

    private static func pod(_ end: End) -> IPAddress { address(1, v6: !end.address.isIPv4) }

    /// A packet with a random body and random headers around it.
    private mutating func packet(
        _ protocol: L4Protocol, from source: End, to destination: End, flags: UInt8, chunk: UInt8
    ) -> IPPacket {
        let data = (0..<random.below(70)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let payload: [UInt8] =
            switch `protocol` {
            case .tcp where random.once(in: 4):
                Transport.tcp(source.port, destination.port, flags: flags, words: 6, options: [1, 1, 1, 1]) + data
            case .tcp: Transport.tcp(source.port, destination.port, flags: flags) + data
            case .sctp: Transport.sctp(source.port, destination.port, chunk: chunk) + data
            default: Transport.udp(source.port, destination.port, payload: data)
            }
        return IPPacket(source.address, destination.address, `protocol`, payload).with {
            $0.hopLimit = UInt8(2 + random.below(200))
            if random.once(in: 8) {
                if source.address.isIPv4 {
                    $0.options = [1, 1, 1, 1]
                } else {
                    $0.extensions = [(60, [0, 1, 4, 0, 0, 0, 0])]
                }
            }
        }
    }

    /// The frame with checksums of this test's own making; a UDP packet may have none.
    private static func frame(_ packet: IPPacket, hasSum: Bool) -> [UInt8] {
        hasSum ? packet.summed.summedFrame : packet.summedFrame
    }

    private mutating func send(_ flow: Flow) throws -> (String, String?) {
        let pod = Self.pod(flow.to)
        let known = model.lives[flow]
        let opens = flow.protocol != .udp && (known == nil || known?.isOver == true || random.once(in: 6))
        let fins = flow.protocol == .tcp && !opens && random.once(in: 8)
        let flags = opens ? Flags.syn : fins ? Flags.fin | Flags.ack : Flags.ack
        let packet = packet(
            flow.protocol, from: End(address: pod, port: flow.port), to: flow.to, flags: flags, chunk: opens ? 1 : 0)
        let hasSum = flow.protocol != .udp || !random.once(in: 5)
        let fate = model.fate(flow, opens: opens)
        try harness.renewRefusals()
        let got = try harness.pass(frame: Self.frame(packet, hasSum: hasSum), .egress)
        let difference = { (text: String) in
            "\(flow) \(fate) flags \(flags): \(text); reason \(got.reason.rawValue), \(got.frame)"
        }

        switch fate {
        case .refused:
            let isRight = got.reason == NP_DROP_NO_BACKEND && got.returned == NP_ACTION_REDIRECT.rawValue
            return ("refused", isRight ? nil : difference("not refused"))
        case .plain:
            model.forget(flow)
            let allowed = isAllowed(flow.to, flow.protocol)
            let isRight =
                (got.returned == NP_ACTION_NEXT.rawValue) == allowed
                && (!allowed || got.frame == Self.frame(packet, hasSum: hasSum))
            return (allowed ? "plain" : "denied", isRight ? nil : difference("plain, allowed \(allowed)"))
        case .translated(let candidates, let port):
            return try judge(flow, packet, hasSum, candidates, port, got, opens: opens, fins: fins, difference)
        }
    }

    private mutating func judge(
        _ flow: Flow, _ packet: IPPacket, _ hasSum: Bool, _ candidates: Set<End>, _ port: UInt16?,
        _ got: (reason: np_reason, returned: Int32, frame: [UInt8]), opens: Bool, fins: Bool,
        _ difference: (String) -> String
    ) throws -> (String, String?) {
        let known = model.lives[flow]
        let ends = Self.ends(got.frame)
        let backend = ends.destination
        guard candidates.contains(backend) else { return ("wrong", difference("went to \(backend)")) }
        if let port, port != ends.source.port { return ("wrong", difference("port \(ends.source.port), had \(port)")) }
        let isHairpin = backend.address == packet.source
        let allowed = isHairpin || isAllowed(backend, flow.protocol)
        guard allowed == (got.returned != NP_ACTION_SHOT.rawValue) else {
            return ("wrong", difference("allowed \(allowed)"))
        }
        guard allowed else { return ("denied", nil) }
        if let rival = model.rival(of: flow, at: backend, port: ends.source.port) {
            return ("wrong", difference("has the ends of \(rival)"))
        }
        var expected = packet.redirected(to: backend.address, backend.port)
            .relabelled(
                as: isHairpin ? ServiceWorld.loopback(v6: !packet.source.isIPv4) : packet.source, ends.source.port)
        if !hasSum { expected.payload.replaceSubrange(6..<8, with: [0, 0]) }
        let frame = Self.frame(expected, hasSum: hasSum)
        guard got.frame == (isHairpin ? frame.turned : frame) else {
            return ("wrong", difference("expected \(frame)"))
        }
        model.admit(flow, to: backend, port: ends.source.port, opens: opens)
        if fins { model.finish(flow, .egress) }
        if isHairpin { return ("hairpin", nil) }
        if known == nil { return (ends.source.port == flow.port ? "new" : "other port", nil) }
        return (known?.backend == backend ? "known" : "moved", nil)
    }

    private mutating func answer(_ flow: Flow) throws -> (String, String?) {
        guard let life = model.lives[flow] else { return ("none", nil) }
        let pod = Self.pod(flow.to)
        let fins = flow.protocol == .tcp && random.once(in: 6)
        let isHairpin = life.backend.address == pod
        let beyond = isHairpin ? ServiceWorld.loopback(v6: !pod.isIPv4) : pod
        let packet = packet(
            flow.protocol, from: life.backend, to: End(address: beyond, port: life.portBeyond),
            flags: fins ? Flags.fin | Flags.ack : Flags.ack, chunk: 0)
        let hasSum = flow.protocol != .udp || !random.once(in: 5)
        let got = try harness.pass(
            frame: Self.frame(packet, hasSum: hasSum), isHairpin ? .egress : .ingress)
        let allowed = isHairpin || isAllowed(life.backend, flow.protocol)
        let difference = { (text: String) in
            "answer of \(flow) \(life): \(text); reason \(got.reason.rawValue), \(got.frame)"
        }
        guard allowed == (got.returned != NP_ACTION_SHOT.rawValue) else {
            return ("wrong", difference("allowed \(allowed)"))
        }
        guard allowed else { return ("revoked answer", nil) }
        var expected = packet.redirected(to: pod, flow.port).relabelled(as: flow.to.address, flow.to.port)
        if !hasSum { expected.payload.replaceSubrange(6..<8, with: [0, 0]) }
        let frame = Self.frame(expected, hasSum: hasSum)
        guard got.frame == (isHairpin ? frame.turned : frame) else { return ("wrong", difference("expected \(frame)")) }
        if fins { model.finish(flow, .ingress) }
        return ("answer", nil)
    }

    /// Source and destination of a frame, as they are in it.
    private static func ends(_ frame: [UInt8]) -> (source: End, destination: End) {
        let v6 = frame[12] == 0x86
        func address(_ range: Range<Int>) -> IPAddress {
            let number = frame[range].reduce((UInt64(0), UInt64(0))) {
                ($0.0 << 8 | $0.1 >> 56, $0.1 << 8 | UInt64($1))
            }
            return range.count == 4
                ? IPAddress(ipv4: UInt32(truncatingIfNeeded: number.1)) : IPAddress(high: number.0, low: number.1)
        }
        var transport = v6 ? 54 : 14 + 4 * Int(frame[14] & 15)
        if v6, frame[20] == 60 { transport += 8 }
        func port(_ offset: Int) -> UInt16 {
            UInt16(frame[transport + offset]) << 8 | UInt16(frame[transport + offset + 1])
        }
        return (
            End(address: address(v6 ? 22..<38 : 26..<30), port: port(0)),
            End(address: address(v6 ? 38..<54 : 30..<34), port: port(2))
        )
    }

    /// What policy says of a destination.
    private func isAllowed(_ end: End, _ protocol: L4Protocol) -> Bool {
        policy.answer(
            identity: PacketWorld.identity(of: end.address), protocol: `protocol`.rawValue, port: end.port) == .allow
    }
}
