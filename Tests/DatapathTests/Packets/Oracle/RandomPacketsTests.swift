import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// NETPOLD_PACKETS sets how many packets are sent (`make soak`: a million).
@Suite("RandomPackets", .needsRoot)
struct RandomPacketsTests {
    private static let packets = getenv("NETPOLD_PACKETS").flatMap { Int(String(cString: $0)) } ?? 20_000
    /// Packets between two clean slates, so that the flows of a run stay far below the map's capacity.
    private static let round = 4_000

    @Test("whatever arrives, the kernel does what the definition says, and counts it under the same reason")
    func agreesWithTheDefinition() throws {
        var reasons: [UInt32: Int] = [:]
        var agreed = true
        try PacketHarness.with { harness throws in
            for (number, start) in stride(from: 0, to: Self.packets, by: Self.round).enumerated() {
                let count = min(Self.round, Self.packets - start)
                agreed = try run(seed: UInt64(number), count: count, harness, &reasons)
                if !agreed { return }
            }
        }
        guard agreed else { return }
        print("RandomPackets: \(Self.packets) packets, 0 differences; by reason: \(Self.summary(reasons))")
        // The generator reaches what the parser and the flows can say.
        for reason in [
            NP_REASON_ESTABLISHED, NP_REASON_REPLY, NP_REASON_ALLOWED, NP_REASON_REVALIDATED, NP_REASON_RELATED,
            NP_REASON_ARP, NP_REASON_NEIGHBOUR_DISCOVERY, NP_DROP_POLICY_DENY, NP_DROP_POLICY_DEFAULT,
            NP_DROP_L7_UNAVAILABLE, NP_DROP_SPOOFED_SOURCE, NP_DROP_TRUNCATED, NP_DROP_BAD_HEADER, NP_DROP_ETHERTYPE,
            NP_DROP_VLAN, NP_DROP_EXTENSION_HEADERS, NP_DROP_FRAGMENT_UNKNOWN, NP_DROP_FRAGMENT_TINY,
            NP_DROP_ICMP_INNER, NP_DROP_SOURCE_ROUTE, NP_REASON_HAIRPIN, NP_DROP_ARP_INVALID, NP_DROP_ARP_SPOOFED,
            NP_DROP_ARP_TARGET, NP_DROP_NEIGHBOUR_SPOOFED, NP_DROP_FOREIGN_SOURCE,
        ] {
            #expect(reasons[reason.rawValue, default: 0] > 0, "no packet came to reason \(reason.rawValue)")
        }
    }

    /// Between the pods, packets of flows past the stack have both policies asked in one run; all others are judged as without.
    @Test("past the stack the other pod's hook does not see a packet, and all is decided and counted as if it had")
    func agreesPastTheStack() throws {
        var reasons: [UInt32: Int] = [:]
        var crossed = 0
        try PacketHarness.with(paths: true) { harness throws in
            for (number, start) in stride(from: 0, to: Self.packets, by: Self.round).enumerated() {
                let count = min(Self.round, Self.packets - start)
                guard try run(seed: UInt64(number), count: count, harness, &reasons, crossed: &crossed) else { return }
            }
        }
        print("RandomPackets past the stack: \(Self.packets) packets, \(crossed) of them past it")
        #expect(crossed > Self.packets / 100, "too few of them go past the stack")
    }

    /// A TCP or UDP packet of a connection's middle from one pod to the other, as the fast path takes it, if it is one.
    private static func crossing(_ frame: [UInt8], from pod: PacketWorld.Pod) -> OraclePacket? {
        guard let packet = try? OracleParser.parse(frame: frame), packet.fragment == nil, packet.hopLimit > 1,
            packet.protocol == 6 || packet.protocol == 17, !packet.opens,
            frame[14] == 0x45 || (frame[14] >> 4 == 6 && frame[20] == packet.protocol),
            PacketWorld.addresses(of: pod == .a ? .b : .a).contains(packet.destination)
        else { return nil }
        return packet
    }

    /// Sends such a packet past the stack. False: a difference was recorded.
    private func cross(
        _ frame: [UInt8], _ packet: OraclePacket, from pod: PacketWorld.Pod, _ oracle: inout OracleDatapath,
        _ harness: PacketHarness, _ place: String
    ) throws -> Bool {
        var frame = frame
        frame.replaceSubrange(0..<6, with: [0, 0, 0, 0, 0, 0])  // for the interface of test runs itself
        let (other, arrival) = (pod == .a ? PacketWorld.Pod.b : .a, PacketWorld.links(of: pod)[0])
        try harness.setPath(packet, from: pod, isFast: true)
        let sent = oracle.judge(frame, .egress, of: pod, by: PacketWorld.own)
        let result = try harness.cross(frame, from: pod)
        try harness.setPath(packet, from: pod, isFast: false)
        var expected = [sent.rawValue]
        var action = NP_ACTION_SHOT.rawValue
        var isGivenBack = false
        var received = NP_REASON_NONE
        if sent.rawValue < UInt32(NP_REASON_FIRST_DROP.rawValue) {
            received = oracle.judge(frame, .ingress, of: other, by: arrival)
            isGivenBack = received == NP_DROP_L7_UNAVAILABLE && packet.protocol == 6
            if isGivenBack {
                action = NP_ACTION_NEXT.rawValue
            } else {
                expected.append(received.rawValue)
                if received.rawValue < UInt32(NP_REASON_FIRST_DROP.rawValue) { action = NP_ACTION_REDIRECT.rawValue }
            }
        }
        guard result.reasons == expected.sorted(), result.returned == action else {
            Issue.record("\(place): \(result), expected \(action) and \(expected): \(Self.hex(frame))")
            return false
        }
        guard isGivenBack else { return true }
        return try harness.confirm(received, frame, .ingress, of: other, by: arrival) == received
    }

    /// One round from a clean slate. False: a difference was recorded.
    private func run(seed: UInt64, count: Int, _ harness: PacketHarness, _ reasons: inout [UInt32: Int]) throws -> Bool
    {
        var none = 0
        return try run(seed: seed, count: count, harness, &reasons, crossed: &none)
    }

    private func run(
        seed: UInt64, count: Int, _ harness: PacketHarness, _ reasons: inout [UInt32: Int], crossed: inout Int
    ) throws -> Bool {
        var generator = RandomPackets(seed: seed)
        var oracle = OracleDatapath()
        try harness.reset()
        for pod in PacketWorld.Pod.allCases {
            for direction in Direction.allCases {
                try change(pod, direction, &generator, &oracle, harness)
            }
        }
        for index in 0..<count {
            if generator.chance(200) {
                try change(
                    generator.pick(PacketWorld.Pod.allCases), generator.pick(Direction.allCases), &generator, &oracle,
                    harness)
            }
            let (frame, direction, pod) = generator.next()
            guard frame.count >= Frame.shortest(ofType: frame) else { continue }
            if harness.paths, direction == .egress, let packet = Self.crossing(frame, from: pod) {
                crossed += 1
                guard
                    try cross(frame, packet, from: pod, &oracle, harness, "seed \(seed), packet \(index) of pod \(pod)")
                else { return false }
                continue
            }
            let arrival = direction == .egress ? PacketWorld.own : generator.arrival(of: frame)
            let expected = oracle.judge(frame, direction, of: pod, by: arrival)
            let reason = try harness.confirm(expected, frame, direction, of: pod, by: arrival)
            reasons[reason.rawValue, default: 0] += 1
            guard reason == expected else {
                Issue.record(
                    """
                    seed \(seed), packet \(index) at pod \(pod) \(direction) by \(arrival): reason \(reason.rawValue), expected \
                    \(expected.rawValue): \(Self.hex(frame))
                    """)
                return false
            }
        }
        return true
    }

    private func change(
        _ pod: PacketWorld.Pod, _ direction: Direction, _ generator: inout RandomPackets,
        _ oracle: inout OracleDatapath,
        _ harness: PacketHarness
    ) throws {
        let policy = Self.policy(&generator)
        oracle.policies[pod, default: [:]][direction] = policy
        oracle.revisions[pod, default: 0] += 1
        // Sometimes more than the policies need, as while an agent changes them.
        let floor = generator.chance(4) ? generator.pick([NP_STATE_MIRROR, NP_STATE_ALWAYS]) : NP_STATE_NEVER
        oracle.floors[pod, default: [:]][direction] = floor
        // Whether a program that allows everything is asked must make no difference.
        harness.marksOpen = generator.chance(2)
        try harness.raise(floor, direction, of: pod)
        let age = generator.pick(PolicyAge.allCases)
        oracle.changes[pod] = age
        try harness.setChange(age, of: pod)
        try harness.set(policy, direction, of: pod)
    }

    private static func policy(_ generator: inout RandomPackets) -> PacketPolicy {
        if generator.chance(3) { return .open }
        let identities: [UInt32?] = [
            nil, nil, nil, PacketWorld.identityA, PacketWorld.identityB, PacketWorld.identityC, PacketWorld.host,
            PacketWorld.worldIPv4, PacketWorld.identityDocumentation,
        ]
        let rules = (0..<generator.pick([0, 1, 3, 6])).map { _ in
            PacketPolicy.Rule(
                identity: generator.pick(identities),
                protocol: generator.pick([nil, .tcp, .udp, .sctp, .icmp, .icmpv6]),
                ports: generator.pick([.all, PortRange(80), PortRange(8), PortRange(128), PortRange(0, 100)]),
                isL7: generator.chance(6), denies: generator.chance(6))
        }
        return PacketPolicy(isolates: true, rules: rules)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func summary(_ reasons: [UInt32: Int]) -> String {
        reasons.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }
}
