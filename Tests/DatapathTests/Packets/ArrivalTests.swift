import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("who a source is, by the way its packets come in", .needsRoot)
struct ArrivalTests {
    private static let linkA = PacketWorld.links(of: .a)[0]
    private static let linkB = PacketWorld.links(of: .b)[0]
    private static let uplink = PacketWorld.uplink

    private static func udp(_ from: IPAddress, _ to: IPAddress, source: UInt16 = 1000, port: UInt16 = 80) -> IPPacket {
        IPPacket(from, to, .udp, Transport.udp(source, port))
    }

    private static func answer(_ packet: IPPacket) -> IPPacket {
        udp(packet.destination, packet.source, source: 80, port: 1000)
    }

    @Test(
        "the node's address is the node in packets generated here, and the outside in all others",
        arguments: [false, true])
    func node(v6: Bool) throws {
        let packet = Self.udp(PacketWorld.address(254, ipv6: v6), PacketWorld.address(1, ipv6: v6))
        let world = v6 ? PacketWorld.worldIPv6 : PacketWorld.worldIPv4
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .egress)
            try harness.set(.only(.init(identity: PacketWorld.host)), .ingress)
            #expect(try harness.send(packet, .ingress, by: 0) == NP_REASON_ALLOWED)
            // Known or not: the same packet from elsewhere is another sender's.
            for arrival in [Self.uplink, Self.linkA, Self.linkB, PacketWorld.bridge] {
                #expect(try harness.send(packet, .ingress, by: arrival) == NP_DROP_POLICY_DEFAULT, "by \(arrival)")
            }
            #expect(try harness.send(packet, .ingress, by: 0) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(Self.answer(packet), .egress) == NP_REASON_REPLY)

            try harness.set(.only(.init(identity: world)), .ingress)
            #expect(try harness.send(packet, .ingress, by: 0) == NP_DROP_POLICY_DEFAULT)
            // The flow is known, and its sender is another one.
            #expect(try harness.send(packet, .ingress, by: Self.uplink) == NP_REASON_REVALIDATED)
            #expect(try harness.send(packet, .ingress, by: Self.uplink) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(packet, .ingress, by: 0) == NP_DROP_POLICY_DEFAULT)
            // The answer's policy is asked as whom the flow was admitted.
            try harness.bump(.a)
            #expect(try harness.send(Self.answer(packet), .egress) == NP_REASON_REVALIDATED)
        }
    }

    @Test("a local pod is believed at its own interface and that one's master", arguments: [false, true])
    func pod(v6: Bool) throws {
        let packet = Self.udp(PacketWorld.address(2, ipv6: v6), PacketWorld.address(1, ipv6: v6))
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            for arrival in [0, Self.linkA, Self.uplink, UInt32.max - 1] {
                #expect(try harness.send(packet, .ingress, by: arrival) == NP_DROP_FOREIGN_SOURCE, "by \(arrival)")
            }
            #expect(try harness.send(packet, .ingress, by: Self.linkB) == NP_REASON_ALLOWED)
            #expect(try harness.send(packet, .ingress, by: PacketWorld.bridge) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(packet, .ingress, by: Self.linkB) == NP_REASON_ESTABLISHED)
            for arrival in [0, Self.linkA, Self.uplink] {
                #expect(
                    try harness.send(packet, .ingress, by: arrival) == NP_DROP_FOREIGN_SOURCE, "known, by \(arrival)")
            }
            // Answers to what the pod has asked.
            let question = Self.udp(PacketWorld.address(1, ipv6: v6), PacketWorld.address(2, ipv6: v6), source: 7)
            #expect(try harness.send(question, .egress) == NP_REASON_ALLOWED)
            let reply = Self.udp(question.destination, question.source, source: 80, port: 7)
            #expect(try harness.send(reply, .ingress, by: Self.uplink) == NP_DROP_FOREIGN_SOURCE)
            #expect(try harness.send(reply, .ingress, by: Self.linkB) == NP_REASON_REPLY)
            #expect(try harness.send(reply, .ingress, by: Self.uplink) == NP_DROP_FOREIGN_SOURCE)
        }
    }

    @Test("messages, errors and fragments of a foreign source are dropped before they tell anything")
    func others() throws {
        let (from, to) = (PacketWorld.ipv4(2), PacketWorld.ipv4(1))
        let question = Self.udp(to, from)
        let error = IPPacket(from, to, .icmp, Transport.icmp(3, body: question.bytes))
        let redirect = IPPacket(from, to, .icmp, Transport.icmp(5, body: question.bytes))
        let first = Self.udp(from, to).with {
            $0.payload += [UInt8](repeating: 0, count: 16)
            $0.fragment = .init(9, offset: 0, more: true)
        }
        let later = first.with { $0.fragment = .init(9, offset: 24, more: false) }
        try PacketHarness.with { harness throws in
            for direction in Direction.allCases { try harness.set(.everything, direction) }
            #expect(try harness.send(question, .egress) == NP_REASON_ALLOWED)
            for packet in [error, redirect, first] {
                #expect(try harness.send(packet, .ingress, by: Self.uplink) == NP_DROP_FOREIGN_SOURCE)
            }
            // The foreign first fragment told nothing.
            #expect(try harness.send(later, .ingress, by: Self.linkB) == NP_DROP_FRAGMENT_UNKNOWN)
            #expect(try harness.send(error, .ingress, by: Self.linkB) == NP_REASON_RELATED)
            #expect(try harness.send(first, .ingress, by: Self.linkB) == NP_REASON_ALLOWED)
            #expect(try harness.send(later, .ingress, by: Self.uplink) == NP_DROP_FOREIGN_SOURCE)
            #expect(try harness.send(later, .ingress, by: Self.linkB) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("answers from the node's address pass, however they come in")
    func repliesOfTheNode() throws {
        // A NodePort whose backend is elsewhere: the answer is forwarded, and has the node's address again.
        let question = Self.udp(PacketWorld.ipv4(1), PacketWorld.ipv4(254))
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            try harness.set(.only(.init(identity: PacketWorld.host)), .egress)
            #expect(try harness.send(question, .egress) == NP_REASON_ALLOWED)
            for arrival in [Self.uplink, 0, PacketWorld.bridge] {
                #expect(try harness.send(Self.answer(question), .ingress, by: arrival) == NP_REASON_REPLY)
            }
            try harness.bump(.a)
            #expect(try harness.send(Self.answer(question), .ingress, by: Self.uplink) == NP_REASON_REVALIDATED)
        }
    }

    @Test("the pod's own packet comes back to it whatever the policies say, and is answered", arguments: [false, true])
    func hairpin(v6: Bool) throws {
        let packet = Self.udp(PacketWorld.address(254, ipv6: v6), PacketWorld.address(1, ipv6: v6))
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            try harness.set(.closed, .egress)
            #expect(try harness.send(packet, .ingress, by: PacketWorld.own) == NP_REASON_HAIRPIN)
            #expect(try harness.send(Self.answer(packet), .egress) == NP_REASON_REPLY)
            #expect(try harness.send(packet, .ingress, by: PacketWorld.own) == NP_REASON_ESTABLISHED)
            // Somebody else behind the same address.
            #expect(try harness.send(packet, .ingress, by: Self.uplink) == NP_DROP_POLICY_DEFAULT)
            try harness.bump(.a)
            #expect(try harness.send(Self.answer(packet), .egress) == NP_REASON_HAIRPIN)
            #expect(try harness.send(packet, .ingress, by: PacketWorld.own) == NP_REASON_ESTABLISHED)
        }
    }

    @Test(
        "what came back to the pod from itself it answers for 20 s, and its answers do not lengthen that",
        arguments: [false, true])
    func hairpinAnswers(v6: Bool) throws {
        // The programs of a harness take a second for 1000 jiffies.
        func ago(_ seconds: UInt32) -> UInt32 { seconds * 1000 >> UInt32(NP_FLOW_CLOCK_SHIFT) }
        let (pod, node) = (PacketWorld.address(1, ipv6: v6), PacketWorld.address(254, ipv6: v6))
        let packet = Self.udp(node, pod)
        let error = IPPacket(pod, node, v6 ? .icmpv6 : .icmp, Transport.icmp(v6 ? 1 : 3, body: packet.bytes))
        func tcp(_ flags: UInt8, isAnswer: Bool = false) -> IPPacket {
            isAnswer
                ? IPPacket(pod, node, .tcp, Transport.tcp(80, 1001, flags: flags))
                : IPPacket(node, pod, .tcp, Transport.tcp(1001, 80, flags: flags))
        }
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let denies = PacketPolicy.Rule(identity: PacketWorld.host, denies: true)
            for policy in [PacketPolicy.closed, .only(denies), PacketPolicy(isolates: false, rules: [denies])] {
                try harness.set(policy, .egress)
                let denied = policy.rules.isEmpty ? NP_DROP_POLICY_DEFAULT : NP_DROP_POLICY_DENY
                try harness.forgetFlows()
                for isStale in [false, true] {
                    func stale() throws { if isStale { try harness.bump(.a) } }
                    let answered = isStale ? NP_REASON_HAIRPIN : NP_REASON_REPLY
                    let first = try harness.send(packet, .ingress, by: PacketWorld.own)
                    #expect(first.rawValue < NP_REASON_FIRST_DROP.rawValue)
                    try stale()
                    #expect(try harness.send(Self.answer(packet), .egress) == answered)
                    try harness.changeFlows { $0.last_seen &-= ago(15) }
                    try stale()
                    #expect(try harness.send(Self.answer(packet), .egress) == answered, "after 15 s")
                    #expect(try harness.send(error, .egress) == NP_REASON_RELATED)
                    // The answers have not been news.
                    try harness.changeFlows { $0.last_seen &-= ago(10) }
                    try stale()
                    #expect(try harness.send(Self.answer(packet), .egress) == denied, "\(policy), after 25 s")
                    #expect(try harness.send(error, .egress) == denied)
                    // What comes back again is.
                    #expect(
                        try harness.send(packet, .ingress, by: PacketWorld.own)
                            == (isStale ? NP_REASON_HAIRPIN : NP_REASON_ESTABLISHED))
                    #expect(try harness.send(Self.answer(packet), .egress) == NP_REASON_REPLY)
                    try harness.changeFlows { $0.last_seen &-= ago(25) }
                    #expect(try harness.send(Self.answer(packet), .egress) == denied)
                }
            }
            // A connection lasts.
            #expect(try harness.send(tcp(2), .ingress, by: PacketWorld.own) == NP_REASON_HAIRPIN)
            #expect(try harness.send(tcp(0x12, isAnswer: true), .egress) == NP_REASON_REPLY)
            #expect(try harness.send(tcp(0x10), .ingress, by: PacketWorld.own) == NP_REASON_ESTABLISHED)
            try harness.changeFlows { $0.last_seen &-= ago(300) }
            #expect(try harness.send(tcp(0x10, isAnswer: true), .egress) == NP_REASON_REPLY)
        }
    }

    @Test("to a link-local address of IPv6 a pod sends only if a rule is for everybody, or nothing is isolated")
    func linkLocal() throws {
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            let world = PacketPolicy.Rule(identity: PacketWorld.worldIPv6)
            let host = PacketPolicy.Rule(identity: PacketWorld.host)
            for (number, address) in [PacketWorld.linkLocal, IPAddress(high: 0xfebf << 48, low: 9)].enumerated() {
                for (place, (policy, passes)) in [
                    (PacketPolicy.closed, false), (.only(world), false), (.only(world, host), false),
                    (.everything, true),
                    (.open, true),
                ].enumerated() {
                    try harness.set(policy, .egress)
                    let packet = Self.udp(PacketWorld.ipv6(1), address, source: UInt16(4000 + 100 * number + place))
                    #expect(
                        try harness.send(packet, .egress) == (passes ? NP_REASON_ALLOWED : NP_DROP_POLICY_DEFAULT),
                        "\(address) under \(policy)")
                }
            }
            // Of IPv4 it is the outside: clouds have their metadata there.
            try harness.set(.only(.init(identity: PacketWorld.worldIPv4)), .egress)
            let metadata = Self.udp(PacketWorld.ipv4(1), IPAddress(ipv4: 0xa9fe_a9fe), source: 4500)
            #expect(try harness.send(metadata, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("where the node answers beside others, a pod sends only if both are allowed")
    func shared() throws {
        let groups =
            [
                PacketWorld.shared[0], IPAddress(ipv4: .max), IPAddress(ipv4: 0xe000_00fb), PacketWorld.shared[1],
                PacketWorld.allNodes, IPAddress(high: 0xff01 << 48, low: 1), IPAddress(high: 0xff12 << 48, low: 9),
                IPAddress(ipv4: 0xe000_0101), IPAddress(ipv4: 0xefff_fffa), IPAddress(high: 0xff05 << 48, low: 2),
            ] + PacketWorld.loopback
        let outside = [
            IPAddress(ipv4: 0xdfff_ffff), IPAddress(ipv4: 0x0aff_fffe), IPAddress(high: 0xfeff << 48, low: 2),
            IPAddress(high: 0xfd00 << 48, low: 0x1_0000),
        ]
        try PacketHarness.with { harness throws in
            try harness.set(.closed, .ingress)
            for (number, address) in (groups + outside).enumerated() {
                let world = address.isIPv4 ? PacketWorld.worldIPv4 : PacketWorld.worldIPv6
                let own = PacketWorld.address(1, ipv6: !address.isIPv4)
                var packet = Self.udp(own, address)
                let isShared = number < groups.count
                let policies: [(PacketPolicy, np_reason)] = [
                    (.closed, NP_DROP_POLICY_DEFAULT),
                    (.only(.init(identity: PacketWorld.host)), NP_DROP_POLICY_DEFAULT),
                    (.only(.init(identity: world)), isShared ? NP_DROP_POLICY_DEFAULT : NP_REASON_ALLOWED),
                    (
                        .only(.init(identity: world), .init(identity: PacketWorld.host, denies: true)),
                        isShared ? NP_DROP_POLICY_DENY : NP_REASON_ALLOWED
                    ),
                    (
                        .only(.init(identity: PacketWorld.host), .init(identity: world, denies: true)),
                        NP_DROP_POLICY_DENY
                    ),
                    (.only(.init(identity: world), .init(identity: PacketWorld.host)), NP_REASON_ALLOWED),
                ]
                for (place, (policy, reason)) in policies.enumerated() {
                    try harness.set(policy, .egress)
                    packet = Self.udp(own, address, source: UInt16(2000 + 100 * number + place))
                    #expect(try harness.send(packet, .egress) == reason, "\(address) under \(policy)")
                }
                #expect(try harness.send(packet, .egress) == NP_REASON_ESTABLISHED)
                try harness.bump(.a)
                #expect(try harness.send(packet, .egress) == NP_REASON_REVALIDATED)
            }
        }
    }
}
