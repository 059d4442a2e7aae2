import NetTypes
import PolicyAPI

extension PolicyBits {
    /// What a policy says about a packet, as far as it matters for a Service.
    enum Outcome: UInt8, Hashable, Comparable {
        /// Nothing decides: not isolated.
        case open
        /// A rule allows it.
        case allowed
        /// A rule allows it, and DNS rules cover it as well.
        case read
        /// Rules with L7 conditions are all that allow it.
        case l7
        /// No rule allows it, and the subject is isolated.
        case defaultDenied
        /// A rule denies it.
        case denied

        static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }

        /// What a packet that has it meets: `true` if it passes.
        var passes: Bool { self <= .read }
    }

    /// What the bits of an egress policy say about a remote that carries `words`, without running the program.
    ///
    /// - Returns: the outcome, and of `l7` the bits, sorted.
    /// - Complexity: O(bits) for what matches, squared only for those that do.
    static func outcome(
        _ bits: [Bit], isIsolated: Bool, words: [UInt64], _ protocol: L4Protocol, _ port: UInt16
    ) -> (outcome: Outcome, l7: [Int]) {
        var matching: [(number: Int, bit: Bit)] = []
        for (number, bit) in bits.enumerated() {
            let isCarried = number / 64 < words.count && words[number / 64] >> UInt64(number % 64) & 1 == 1
            guard bit.matchesAnyPeer || isCarried else { continue }
            if let traffic = bit.traffic {
                guard traffic.contains(where: { $0.protocol == `protocol` && $0.ports.contains(port) }) else {
                    continue
                }
            }
            matching.append((number, bit))
        }
        tiers: for tier in Tier.allCases {
            if tier == .baseline, isIsolated { break }
            let ofTier = matching.filter { $0.bit.tier == tier }
            for priority in Set(ofTier.map(\.bit.priority)).sorted() {
                let level = ofTier.filter { _, bit in
                    bit.priority == priority
                        && !ofTier.contains { _, other in
                            other.priority == priority && other.order < bit.order
                                && other.rule.origin.isSameObject(as: bit.rule.origin)
                        }
                }
                if level.contains(where: { $0.bit.rule.action == .deny }) { return (.denied, []) }
                if level.contains(where: { $0.bit.rule.action == .allow && !$0.bit.rule.isL7 }) {
                    return (level.contains(where: \.bit.rule.isDNS) ? .read : .allowed, [])
                }
                let l7 = level.filter { $0.bit.rule.action == .allow }.map(\.number)
                if !l7.isEmpty { return (.l7, l7) }
                if level.contains(where: { $0.bit.rule.action == .pass }) { continue tiers }
            }
        }
        return (isIsolated ? .defaultDenied : .open, [])
    }
}
