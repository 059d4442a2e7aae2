import CNetpoldABI
import PolicyIR

/// Pass 1, check limits: what every later pass takes for granted.
enum PolicyLimits {
    /// 64-bit words of a `peers` value.
    static let words = Int(NP_MAX_RULE_WORDS)
    /// Rule bits, the host bit included.
    static let bits = words * 64

    /// Refuses a policy that does not fit or contradicts itself. Afterwards there are at most `bits` bits, the host bit is the
    /// one behind the last rule bit, `peers` is strictly ascending by identity, no entry or column has a bit that the policy does
    /// not have, and the bits with L7 conditions are of one word and of levels without order.
    ///
    /// - Throws: `EmitError`, for the first flaw in this order.
    /// - Complexity: O(words of `peers`).
    static func check(_ policy: PolicyBits) throws(EmitError) {
        let count = policy.bits.count + (policy.hostBit == nil ? 0 : 1)
        guard count <= bits else { throw .tooManyRules(bits: count, limit: bits) }
        if let host = policy.hostBit, host != policy.bits.count {
            throw .misplacedHostBit(host, expected: policy.bits.count)
        }
        for (previous, entry) in zip(policy.peers, policy.peers.dropFirst()) where previous.identity >= entry.identity {
            throw .unsortedPeers(identity: entry.identity)
        }
        for entry in policy.peers where !fits(entry.words, count) { throw .strayPeerBits(identity: entry.identity) }
        var next = 0
        for column in policy.columns {
            guard column.number >= next, column.number < NameColumns.limit, fits(column.words, policy.bits.count) else {
                throw .misplacedColumn(column.number)
            }
            next = column.number + 1
        }
        try checkL7(policy)
    }

    /// Whether all bits of some words are below `count`.
    private static func fits(_ words: [UInt64], _ count: Int) -> Bool {
        words.enumerated().allSatisfy { word, value in
            let used = min(max(count - word * 64, 0), 64)
            return used == 64 || value >> UInt64(used) == 0
        }
    }

    /// An answer names L7 bits by one word, and those of one object.
    private static func checkL7(_ policy: PolicyBits) throws(EmitError) {
        guard let first = policy.bits.firstIndex(where: \.rule.isL7) else { return }
        for (number, bit) in policy.bits.enumerated() where bit.rule.isL7 {
            let isOrdered = policy.bits.contains {
                $0.order > 0 && $0.tier == bit.tier && $0.priority == bit.priority
            }
            guard number / 64 == first / 64, !isOrdered else { throw .misplacedL7Bit(number) }
        }
    }
}
