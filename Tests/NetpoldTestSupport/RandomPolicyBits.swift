public import BPFEmit
public import NetTypes
public import PolicyAPI
import PolicyIR

/// Policies as bits, of many shapes: tiers, priorities, passes, L7, the local node, everybody, overlapping ports.
public struct RandomPolicyBits: Sendable {
    private var random: SplitMix64

    /// A source of policies; the same ones for the same seed.
    public init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// A policy with up to `maximum` bits, or with exactly that many.
    public mutating func next(maximum: Int, exactly: Bool = false) -> PolicyBits {
        let count = exactly ? maximum : below(maximum + 1)
        let tiers: [Tier] = chance(50) ? [.normal] : Tier.allCases
        let priorities = chance(50) ? 1 : 1 + below(4)
        let anyPeerPercent = [0, 10, 50, 100][below(4)]
        let anyTrafficPercent = [0, 20, 100][below(3)]
        let objects = 1 + below(3)
        let orders = chance(50) ? 1 : 1 + below(6)
        let denyPercent = [0, 10, 50][below(3)]
        let l7Percent = [0, 30][below(2)]
        let portPool = (0..<(1 + below(30))).map { _ in UInt16.random(in: .min ... .max, using: &random) }

        var bits: [PolicyBits.Bit] = []
        for _ in 0..<count {
            let tier = tiers[below(tiers.count)]
            var action: RuleAction = chance(denyPercent) ? .deny : .allow
            if tiers.count > 1, chance(15) { action = .pass }
            let isNormal = tier == .normal
            // Answers name L7 bits by one word, and there are none in ordered lists.
            let isL7 = isNormal && action == .allow && chance(l7Percent)
            let isDNS = isL7 && chance(50)
            bits.append(
                PolicyBits.Bit(
                    rule: RuleBit(
                        rule: 0, action: action, isL7: isL7, origin: .test("random-\(below(objects))"),
                        l7: isDNS ? .dns([]) : nil),
                    tier: tier, priority: isNormal && chance(80) ? 0 : UInt32(below(priorities)),
                    order: isNormal ? 0 : UInt32(below(orders)),
                    matchesAnyPeer: chance(anyPeerPercent),
                    traffic: chance(anyTrafficPercent) ? nil : traffic(portPool)))
        }
        bits.sort(by: RandomPolicyBits.precedes)
        let first = bits.filter(\.rule.isL7).prefix(64)
        bits = first + bits.filter { !$0.rule.isL7 }
        for index in bits.indices { bits[index].rule.rule = index }

        let isolated = chance(70)
        let hostBit = isolated && chance(50) ? bits.count : nil
        return PolicyBits(
            direction: chance(50) ? .ingress : .egress, isolatedBy: isolated ? [.test("isolating")] : [], bits: bits,
            hostBit: hostBit, peers: peers(bits, hostBit), columns: chance(50) ? columns(bits) : [], names: 1)
    }

    private mutating func columns(_ bits: [PolicyBits.Bit]) -> [PolicyBits.Column] {
        (0..<32).compactMap { number in
            guard chance(20) else { return nil }
            var words = [UInt64](repeating: 0, count: (bits.count + 64) / 64)
            for (index, bit) in bits.enumerated() where !bit.matchesAnyPeer && chance(20) {
                words[index / 64] |= 1 << UInt64(index % 64)
            }
            return PolicyBits.Column(number: number, list: NameList([.name("\(number).example")]), words: words)
        }
    }

    /// As `PolicyRule.precedes`.
    private static func precedes(_ left: PolicyBits.Bit, _ right: PolicyBits.Bit) -> Bool {
        if (left.tier, left.priority) != (right.tier, right.priority) {
            return (left.tier, left.priority) < (right.tier, right.priority)
        }
        guard left.tier != .normal else { return left.rule.action < right.rule.action }
        return (left.rule.origin.name, left.order, left.rule.action)
            < (right.rule.origin.name, right.order, right.rule.action)
    }

    private mutating func traffic(_ pool: [UInt16]) -> [PolicyBits.ResolvedTraffic] {
        let protocols: [L4Protocol] = [.tcp, .udp, .sctp, .icmp, .icmpv6, .init(rawValue: 0), .init(rawValue: 255)]
        var result: [PolicyBits.ResolvedTraffic] = []
        for _ in 0..<below(4) {
            let `protocol` = protocols[chance(60) ? 0 : below(protocols.count)]
            let first = pool[below(pool.count)]
            let range =
                switch below(5) {
                case 0: PortRange.all
                case 1: PortRange(first, pool[below(pool.count)])
                case 2: PortRange(0, first)
                case 3: PortRange(first, .max)
                default: PortRange(first)
                }
            result.append(.init(`protocol`, range))
        }
        return result.sorted()
    }

    private mutating func peers(_ bits: [PolicyBits.Bit], _ hostBit: Int?) -> [PeerEntry] {
        var entries: [PeerEntry] = []
        let words = (bits.count + 1 + 63) / 64
        for number in 0..<below(6) {
            var entry = PeerEntry(identity: UInt32(number * 7 + 1), words: Array(repeating: 0, count: words))
            let percent = [2, 30, 100][below(3)]
            for (index, bit) in bits.enumerated() where !bit.matchesAnyPeer && chance(percent) {
                entry.words[index / 64] |= 1 << UInt64(index % 64)
            }
            if let hostBit, number == 0 { entry.words[hostBit / 64] |= 1 << UInt64(hostBit % 64) }
            if entry.words.contains(where: { $0 != 0 }) { entries.append(entry) }
        }
        return entries
    }
}

extension RuleOrigin {
    /// An origin that names a test's policy.
    public static func test(_ name: String, _ path: String = "") -> RuleOrigin {
        RuleOrigin(kind: "NetworkPolicy", namespace: "test", name: name, path: path)
    }
}

extension PolicyBits {
    /// One packet of every class the policy can tell apart, and of the neighbouring ones: each edge of a port range +-1,
    /// for each identity of `peers` and one that is not there, without names, with those of one column and with all. At most about
    /// `limit` of them, evenly chosen.
    public func probes(
        limit: Int = .max
    ) -> [(identity: UInt32, columns: UInt32, protocol: L4Protocol, port: UInt16)] {
        var keys: Set<UInt32> = [0, 6 << 16 | 80, 17 << 16 | 53, 0xff_ffff]
        for range in bits.compactMap(\.traffic).joined() {
            for edge in [range.ports.first, range.ports.last] {
                let key = UInt32(range.protocol.rawValue) << 16 | UInt32(edge)
                for near in [key &- 1, key, key + 1] where near <= 0xff_ffff { keys.insert(near) }
            }
        }
        let held: [UInt32] =
            columns.isEmpty ? [0, .max] : [0, .max, 1 << UInt32(columns[columns.count / 2].number)]
        let identities = (peers.map(\.identity) + [0xffff]).flatMap { identity in held.map { (identity, $0) } }
        let sorted = keys.sorted()
        // An even step would meet the same keys for every identity.
        let step = max(1, identities.count * sorted.count / limit) | 1
        return stride(from: 0, to: identities.count * sorted.count, by: step).map { index in
            let key = sorted[index % sorted.count]
            return (
                identities[index / sorted.count].0, identities[index / sorted.count].1,
                L4Protocol(rawValue: UInt8(key >> 16)),
                UInt16(truncatingIfNeeded: key)
            )
        }
    }
}
