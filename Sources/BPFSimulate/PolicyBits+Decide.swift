public import BPFEmit
public import NetTypes
import PolicyAPI

extension PolicyBits {
    /// The answer straight from the definition, for comparison with compiled programs. Naive on purpose: never optimise this.
    public func decide(identity: UInt32, protocol: L4Protocol, port: UInt16) -> PolicyAnswer {
        let words = peers.first { $0.identity == identity }?.words ?? []
        func carries(_ number: Int) -> Bool {
            number / 64 < words.count && words[number / 64] >> UInt64(number % 64) & 1 == 1
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
                // "any deny bit of m denies; else any plain allow bit allows; else any L7 bit answers L7; else any pass bit
                // skips the other levels of the tier"
                if let bit = level.first(where: { bits[$0].rule.action == .deny }) {
                    return PolicyAnswer(.deny, .rule, bit: bit)
                }
                if let bit = first(.allow, l7: false) { return PolicyAnswer(.allow, .rule, bit: bit) }
                // "a plain allow asked after the normal tier's deny and allow bits and before its L7 bits"
                if isHostTier, priority == priorities.last { return PolicyAnswer(.allow, .host) }
                if let bit = first(.allow, l7: true) { return PolicyAnswer(.l7, .rule, bit: bit) }
                if level.contains(where: { bits[$0].rule.action == .pass }) { break }
            }
        }
        return isolatedBy.isEmpty ? PolicyAnswer(.allow, .defaultAllow) : PolicyAnswer(.deny, .defaultDeny)
    }
}
