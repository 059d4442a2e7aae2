import CNetpoldABI
import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

/// Address theft on a real bridge.
@Suite(
    "ARP and neighbour discovery on a bridge",
    .enabled(if: EdgeNode.canBuild, "needs root, containernetworking-plugins, iproute2"), .serialized)
struct NeighbourSpoofingTests {
    private static let port: UInt16 = 7001
    private static let open = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: elsewhere, namespace: edge}
        spec: {podSelector: {matchLabels: {app: none}}, policyTypes: [Ingress, Egress]}
        """
    /// Nothing passes but what the link itself needs, and datagrams from the client to the victim.
    private static let closed = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: closed, namespace: edge}
        spec:
          podSelector: {}
          policyTypes: [Ingress, Egress]
          ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{protocol: UDP, port: \(port)}]}]
          egress: [{to: [{podSelector: {matchLabels: {app: victim}}}], ports: [{protocol: UDP, port: \(port)}]}]
        """

    @Test("a pod that announces another pod's address does not get its traffic", arguments: [false, true])
    func theft(v6: Bool) throws {
        let network = try EdgeNode(.bridge, pods: ["client", "victim", "thief"])
        #expect(try reaches(network, v6))
        try steal(network, v6)
        // Without netpold the theft works: otherwise this test would show nothing.
        #expect(try !reaches(network, v6), "the announcement was not believed; nothing is shown")
        try network.ip(network.pod("client"), "neigh flush all")

        for policies in [Self.open, Self.closed] {
            try network.apply(policies)
            #expect(try reaches(network, v6))
            try steal(network, v6)
            #expect(try reaches(network, v6), "the thief has the victim's traffic")
        }
        let reason = v6 ? NP_DROP_NEIGHBOUR_SPOOFED : NP_DROP_ARP_SPOOFED
        #expect(try network.packetsByReason()[UInt8(reason.rawValue), default: 0] > 0)
    }

    @Test(
        "with everything closed, neighbours find each other, and a pod's own announcements pass",
        arguments: [false, true])
    func resolution(v6: Bool) throws {
        let network = try EdgeNode(.bridge, pods: ["client", "victim", "thief"])
        try network.apply(Self.closed)
        for _ in 0..<3 {
            for pod in ["client", "victim"] { try network.ip(network.pod(pod), "neigh flush all") }
            #expect(try reaches(network, v6))
        }
        let before = try network.packetsByReason()
        let (victim, address) = (try network.pod("victim"), network.address("victim", v6: v6))
        #expect(try RawLink(victim).send(announcement(of: address, by: address, mac(network, "victim"), v6)))
        if v6 {
            // Duplicate detection of its own address.
            try network.set(victim, "ipv6/conf/eth0/accept_dad", "1")
            try network.set(victim, "ipv6/conf/all/accept_dad", "1")
            try network.ip(victim, "addr del \(address)/64 dev eth0")
            try network.ip(victim, "addr add \(address)/64 dev eth0")
            usleep(2_500_000)
            let addresses = try network.run(victim, ["ip", "-6", "addr", "show", "dev", "eth0"])
            #expect(
                addresses.contains("\(address)/64") && !addresses.contains("tentative")
                    && !addresses.contains("dadfailed"))
        }
        let after = try network.packetsByReason()
        let passed = UInt8((v6 ? NP_REASON_NEIGHBOUR_DISCOVERY : NP_REASON_ARP).rawValue)
        #expect(after[passed, default: 0] > before[passed, default: 0])
        for reason in [NP_DROP_ARP_SPOOFED, NP_DROP_NEIGHBOUR_SPOOFED, NP_DROP_ARP_INVALID] {
            #expect(after[UInt8(reason.rawValue), default: 0] == 0, "\(reason)")
        }
        #expect(try reaches(network, v6))
    }

    /// Whether a datagram of the client reaches the victim.
    private func reaches(_ network: EdgeNode, _ v6: Bool) throws -> Bool {
        let receiver = try EdgeSocket(network.pod("victim"), v6: v6, port: Self.port)
        let sender = try EdgeSocket(network.pod("client"), v6: v6)
        let text = Array("\(UInt64.random(in: .min ... .max))".utf8)
        sender.send(text, to: network.address("victim", v6: v6), port: Self.port)
        return receiver.receive(milliseconds: 1500) == text
    }

    /// The thief says the victim's address is its own. The kernel believes nobody within a second after somebody else.
    private func steal(_ network: EdgeNode, _ v6: Bool) throws {
        usleep(1_200_000)
        let link = try RawLink(network.pod("thief"))
        let frame = try announcement(
            of: network.address("victim", v6: v6), by: network.address("thief", v6: v6), mac(network, "thief"), v6)
        for _ in 0..<3 {
            #expect(link.send(frame))
            usleep(50_000)
        }
    }

    private func mac(_ network: EdgeNode, _ pod: String) throws -> [UInt8] {
        let words = try network.run(network.pod(pod), ["ip", "-br", "link", "show", "dev", "eth0"]).split(
            separator: " ")
        return words.count > 2 ? words[2].split(separator: ":").compactMap { UInt8($0, radix: 16) } : []
    }

    /// A gratuitous ARP request, or an unsolicited advertisement that overrides.
    private func announcement(of address: IPAddress, by source: IPAddress, _ mac: [UInt8], _ v6: Bool) -> [UInt8] {
        if !v6 {
            let own = Array(address.bytes.suffix(4))
            let body: [UInt8] = [0, 1, 8, 0, 6, 4, 0, 1] + mac + own + [0, 0, 0, 0, 0, 0] + own
            return [UInt8](repeating: 0xff, count: 6) + mac + [8, 6] + body
        }
        let allNodes = IPAddress(high: 0xff02 << 48, low: 1)
        var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address.bytes + [2, 1] + mac
        let pseudo: [UInt8] = source.bytes + allNodes.bytes + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58]
        var sum = stride(from: 0, to: pseudo.count + message.count, by: 2).reduce(UInt32(0)) { sum, place in
            let all = pseudo + message
            return sum + UInt32(all[place]) << 8 + UInt32(all[place + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        message.replaceSubrange(2..<4, with: (~UInt16(truncatingIfNeeded: sum)).bigEndianBytes)
        let packet = IPPacket(source, allNodes, .icmpv6, message).with { $0.hopLimit = 255 }
        return [0x33, 0x33, 0, 0, 0, 1] + mac + [0x86, 0xdd] + packet.bytes
    }
}
