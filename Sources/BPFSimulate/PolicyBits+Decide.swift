public import BPFEmit
public import NetTypes
import PolicyAPI

extension PolicyBits {
    /// The answer straight from the definition, for comparison with compiled programs. Naive on purpose: never optimise this.
    ///
    /// - Parameters:
    ///   - identity: of the remote.
    ///   - held: the name columns of the remote, a bit each.
    ///   - protocol: of the packet.
    ///   - port: its destination port, or ICMP type.
    /// - Returns: what a program must answer.
    public func decide(
        identity: UInt32, columns held: UInt32 = 0, protocol: L4Protocol, port: UInt16
    ) -> PolicyAnswer {
        let words = peers.first { $0.identity == identity }?.words ?? []
        // "The remote's peers hold what its identity carries, and what the columns carry that its names have"
        let rows = [words] + columns.filter { held >> UInt32($0.number) & 1 == 1 }.map(\.words)
        func carries(_ number: Int) -> Bool {
            rows.contains { number / 64 < $0.count && $0[number / 64] >> UInt64(number % 64) & 1 == 1 }
        }
        // "m = the bits whose peers hold the identity and whose traffic holds the packet"
        let matching = bits.indices.filter { number in
            let traffic = bits[number].traffic?.contains { $0.protocol == `protocol` && $0.ports.contains(port) }
            return (bits[number].matchesAnyPeer || carries(number)) && traffic ?? true
        }

        for tier in Tier.allCases {
            // "After the normal tier an isolated subject denies by default, and the baseline tier is not asked"
            if tier == .baseline, !isolatedBy.isEmpty { break }
            var priorities = Set(bits.filter { $0.tier == tier }.map(\.priority)).sorted()
            let isHostTier = tier == .normal && hostBit.map(carries) == true
            if isHostTier, priorities.isEmpty { priorities = [0] }
            for priority in priorities {
                let all = matching.filter { bits[$0].tier == tier && bits[$0].priority == priority }
                // "without those that stand behind another of them in the list of the same object"
                let level = all.filter { number in
                    !all.contains {
                        bits[$0].order < bits[number].order
                            && bits[$0].rule.origin.isSameObject(as: bits[number].rule.origin)
                    }
                }
                func first(_ action: RuleAction, l7: Bool) -> Int? {
                    level.first { bits[$0].rule.action == action && bits[$0].rule.isL7 == l7 }
                }
                // "any deny bit of m denies; else any plain allow bit allows, and if DNS bits of the level are in m as well, the
                // answer says so; else the L7 bits answer L7, all of them; else any pass bit skips the other levels of the tier"
                if let bit = level.first(where: { bits[$0].rule.action == .deny }) {
                    return PolicyAnswer(.deny, .rule, bit: bit)
                }
                if let bit = first(.allow, l7: false) {
                    let isRead = level.contains { bits[$0].rule.isDNS }
                    return PolicyAnswer(isRead ? .allowRead : .allow, .rule, bit: bit)
                }
                // "a plain allow asked after the normal tier's deny and allow bits and before its L7 bits"
                if isHostTier, priority == priorities.last { return PolicyAnswer(.allow, .host) }
                if let bit = first(.allow, l7: true) {
                    let all = level.filter { bits[$0].rule.action == .allow && bits[$0].rule.isL7 }
                    return PolicyAnswer(.l7, .rule, bit: bit, l7: all)
                }
                if level.contains(where: { bits[$0].rule.action == .pass }) { break }
            }
        }
        return isolatedBy.isEmpty ? PolicyAnswer(.allow, .defaultAllow) : PolicyAnswer(.deny, .defaultDeny)
    }
}
