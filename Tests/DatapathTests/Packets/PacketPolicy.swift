import BPFEmit
import CNetpoldABI
import NetTypes
import PolicyAPI

/// A small policy of one direction, and what it says: compiled for the kernel and answered here without that.
struct PacketPolicy {
    /// One allow rule.
    struct Rule {
        /// The remote's identity; `nil` for anybody.
        var identity: UInt32?
        /// The protocol; `nil` for every packet.
        var `protocol`: L4Protocol?
        /// Ports, or ICMP types.
        var ports: PortRange = .all
        /// Whether it is an allow with L7 rules.
        var isL7 = false
        /// Whether it denies.
        var denies = false
    }

    /// Whether what no rule allows is dropped.
    var isolates: Bool
    var rules: [Rule]

    static let open = PacketPolicy(isolates: false, rules: [])
    static let closed = PacketPolicy(isolates: true, rules: [])

    /// Isolates, and allows everything by a rule.
    static let everything = PacketPolicy(isolates: true, rules: [Rule()])

    static func only(_ rules: Rule...) -> PacketPolicy { PacketPolicy(isolates: true, rules: rules) }

    /// Whether it says nothing.
    var isOpen: Bool { !isolates && rules.isEmpty }

    /// Whether something is not let through by itself.
    var restricts: Bool { isolates || hasRefusals }
    /// Whether some rule denies, or leaves the verdict to a proxy.
    private var hasRefusals: Bool { rules.contains { $0.denies || $0.isL7 } }

    /// Whether what this policy allows needs entries, given the policy of the opposite direction.
    func need(against opposite: PacketPolicy) -> np_state_need {
        if !opposite.restricts { return NP_STATE_NEVER }
        return isolates ? NP_STATE_ALWAYS : NP_STATE_MIRROR
    }

    enum Answer: Equatable {
        case allow, denyByRule, denyByDefault, l7
    }

    /// Naive on purpose.
    func answer(identity: UInt32, protocol number: UInt8, port: UInt16) -> Answer {
        let matching = rules.filter { rule in
            (rule.identity == nil || rule.identity == identity)
                && (rule.protocol == nil || rule.protocol?.rawValue == number && rule.ports.contains(port))
        }
        if matching.contains(where: \.denies) { return .denyByRule }
        if matching.contains(where: { !$0.isL7 }) { return .allow }
        if !matching.isEmpty { return .l7 }
        return isolates ? .denyByDefault : .allow
    }

    func bits(_ direction: Direction) -> PolicyBits {
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "test", name: "packets", path: "spec")
        let bits = rules.enumerated().map { index, rule in
            PolicyBits.Bit(
                rule: RuleBit(rule: index, action: rule.denies ? .deny : .allow, isL7: rule.isL7, origin: origin),
                tier: .normal, priority: 0, matchesAnyPeer: rule.identity == nil,
                traffic: rule.protocol.map { [PolicyBits.ResolvedTraffic($0, rule.ports)] })
        }
        var peers: [UInt32: UInt64] = [:]
        for (index, rule) in rules.enumerated() {
            if let identity = rule.identity { peers[identity, default: 0] |= 1 << UInt64(index) }
        }
        return PolicyBits(
            direction: direction, isolatedBy: isolates ? [origin] : [], bits: bits, hostBit: nil,
            peers: peers.sorted { $0.key < $1.key }.map { PeerEntry(identity: $0.key, words: [$0.value]) })
    }
}
