import CNetpoldABI

/// Pass 1, check limits: what every later pass takes for granted.
enum PolicyLimits {
    /// 64-bit words of a `peers` value.
    static let words = Int(NP_MAX_RULE_WORDS)
    /// Rule bits, the host bit included.
    static let bits = words * 64

    /// Refuses a policy that does not fit or contradicts itself. Afterwards there are at most `bits` bits, the host bit is the
    /// one behind the last rule bit, `peers` is strictly ascending by identity, and no entry has a bit that the policy does
    /// not have.
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
        for entry in policy.peers {
            for (word, value) in entry.words.enumerated() where value != 0 {
                let used = min(max(count - word * 64, 0), 64)
                guard used == 64 || value >> UInt64(used) == 0 else { throw .strayPeerBits(identity: entry.identity) }
            }
        }
    }
}
