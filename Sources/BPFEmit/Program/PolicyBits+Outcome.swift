import NetTypes
import PolicyAPI

extension PolicyBits {
    /// What a policy says about a packet, as far as it matters for a Service.
    enum Outcome: UInt8, Hashable, Comparable {
        /// Nothing decides: not isolated.
        case open
        /// A rule allows it.
        case allowed
        /// Rules with L7 conditions are all that allow it.
        case l7
        /// No rule allows it, and the subject is isolated.
        case defaultDenied
        /// A rule denies it.
        case denied

        static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }

        /// What a packet that has it meets: `true` if it passes.
        var passes: Bool { self <= .allowed }
    }

    /// What the bits of an egress policy say about a remote that carries `words`, without running the program.
    ///
    /// - Complexity: O(bits) for what matches, squared only for those that do.
    static func outcome(
        _ bits: [Bit], isIsolated: Bool, words: [UInt64], _ protocol: L4Protocol, _ port: UInt16
    ) -> Outcome {
        var matching: [Bit] = []
        for (number, bit) in bits.enumerated() {
            let isCarried = number / 64 < words.count && words[number / 64] >> UInt64(number % 64) & 1 == 1
            guard bit.matchesAnyPeer || isCarried else { continue }
            if let traffic = bit.traffic {
                guard traffic.contains(where: { $0.protocol == `protocol` && $0.ports.contains(port) }) else {
                    continue
                }
            }
            matching.append(bit)
        }
        tiers: for tier in Tier.allCases {
            if tier == .baseline, isIsolated { break }
            let ofTier = matching.filter { $0.tier == tier }
            for priority in Set(ofTier.map(\.priority)).sorted() {
                let level = ofTier.filter { bit in
                    bit.priority == priority
                        && !ofTier.contains { other in
                            other.priority == priority && other.order < bit.order
                                && other.rule.origin.isSameObject(as: bit.rule.origin)
                        }
                }
                if level.contains(where: { $0.rule.action == .deny }) { return .denied }
                if level.contains(where: { $0.rule.action == .allow && !$0.rule.isL7 }) { return .allowed }
                if level.contains(where: { $0.rule.action == .allow }) { return .l7 }
                if level.contains(where: { $0.rule.action == .pass }) { continue tiers }
            }
        }
        return isIsolated ? .defaultDenied : .open
    }
}
