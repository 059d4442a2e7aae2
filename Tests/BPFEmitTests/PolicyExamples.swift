import BPFEmit
import NetpoldTestSupport
import PolicyAPI

/// Two small policies, and makers of bits for others.
enum PolicyExamples {
    /// An origin in `shop.yaml`.
    static func origin(_ kind: String, _ name: String, _ path: String, line: Int) -> RuleOrigin {
        RuleOrigin(
            kind: kind, namespace: "shop", name: name, path: path,
            location: SourceLocation(file: "shop.yaml", line: line, column: 5))
    }

    /// A rule bit.
    static func bit(
        _ number: Int, _ action: RuleAction = .allow, tier: Tier = .normal, priority: UInt32 = 0, order: UInt32 = 0,
        l7: Bool = false, anyPeer: Bool = false, traffic: [PolicyBits.ResolvedTraffic]? = nil, origin: RuleOrigin? = nil
    ) -> PolicyBits.Bit {
        PolicyBits.Bit(
            rule: RuleBit(rule: number, action: action, isL7: l7, origin: origin ?? .test("policy", "rule \(number)")),
            tier: tier, priority: priority, order: order, matchesAnyPeer: anyPeer, traffic: traffic)
    }

    /// A policy of bits, with `peers` by identity.
    static func policy(
        _ bits: [PolicyBits.Bit], isolated: Bool = true, hostBit: Int? = nil, peers: [(UInt32, [UInt64])] = []
    ) -> PolicyBits {
        PolicyBits(
            direction: .ingress, isolatedBy: isolated ? [.test("isolating")] : [], bits: bits, hostBit: hostBit,
            peers: peers.map { PeerEntry(identity: $0.0, words: $0.1) })
    }

    /// An isolated pod: clients of two namespaces on TCP 80, everybody on TCP 443, the local node.
    static let webAndHost = PolicyBits(
        direction: .ingress, isolatedBy: [origin("NetworkPolicy", "allow-web", "", line: 1)],
        bits: [
            bit(
                0, traffic: [.init(.tcp, .init(80))],
                origin: origin("NetworkPolicy", "allow-web", "spec.ingress[0]", line: 12)),
            bit(
                1, anyPeer: true, traffic: [.init(.tcp, .init(443))],
                origin: origin("NetworkPolicy", "allow-web", "spec.ingress[1]", line: 20)),
        ],
        hostBit: 2,
        peers: [PeerEntry(identity: 1, words: [0b100]), PeerEntry(identity: 300, words: [0b001])])

    /// Three tiers: a pass before a deny in admin, a DNS rule in normal, a baseline deny.
    static let tiers = PolicyBits(
        direction: .egress, isolatedBy: [],
        bits: [
            bit(0, .pass, tier: .admin, priority: 1, origin: origin("ClusterNetworkPolicy", "a", "", line: 1)),
            bit(
                1, .deny, tier: .admin, priority: 2, anyPeer: true, traffic: [.init(.udp, .all)],
                origin: origin("ClusterNetworkPolicy", "b", "", line: 2)),
            bit(
                2, l7: true, traffic: [.init(.udp, .init(53))],
                origin: origin("CiliumNetworkPolicy", "c", "spec.egress[0]", line: 3)),
            bit(3, .deny, tier: .baseline, origin: origin("ClusterNetworkPolicy", "d", "", line: 4)),
        ],
        hostBit: nil,
        peers: [PeerEntry(identity: 300, words: [0b0101]), PeerEntry(identity: 301, words: [0b1001])])
}
