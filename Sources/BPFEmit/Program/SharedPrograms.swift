import NetTypes
import PolicyAPI
import PolicyIR

/// Emits equal policies once. Subjects made from one template have equal policies and share one program, which is one array in memory.
struct SharedPrograms {
    /// What an image follows from, but for where its rules are written.
    private struct Key: Hashable {
        struct Bit: Hashable {
            var action: RuleAction
            var isL7: Bool
            var isDNS: Bool
            var tier: Tier
            var priority: UInt32
            var order: UInt32
            var matchesAnyPeer: Bool
            var traffic: [PolicyBits.ResolvedTraffic]?
            /// Where objects have an order, which bits are of one object counts as well; in the normal tier none has.
            var origin: RuleOrigin?

            init(_ bit: PolicyBits.Bit) {
                action = bit.rule.action
                isL7 = bit.rule.isL7
                isDNS = bit.rule.isDNS
                tier = bit.tier
                priority = bit.priority
                order = bit.order
                matchesAnyPeer = bit.matchesAnyPeer
                traffic = bit.traffic
                origin = bit.tier == .normal && bit.order == 0 ? nil : bit.rule.origin
            }
        }

        var direction: Direction
        var isIsolated: Bool
        var bits: [Bit]
        var hostBit: Int?
        var peers: [PeerEntry]
        var columns: [NameColumn]

        init(_ policy: PolicyBits) {
            direction = policy.direction
            isIsolated = !policy.isolatedBy.isEmpty
            bits = policy.bits.map(Bit.init)
            hostBit = policy.hostBit
            peers = policy.peers
            columns = policy.columns
        }

        /// Traffic tells policies apart, the rest seldom does.
        func hash(into hasher: inout Hasher) {
            hasher.combine(bits.count)
            for bit in bits {
                for range in bit.traffic ?? [] {
                    hasher.combine(UInt64(range.firstKey) << 32 | UInt64(range.lastKey))
                }
            }
        }
    }

    private var known: [Key: PolicyImage] = [:]

    /// The image of a policy, as `PolicyEmitter.emit` makes it.
    ///
    /// - Throws: what that throws.
    mutating func emit(_ bits: PolicyBits) throws(EmitError) -> PolicyImage {
        let key = Key(bits)
        if var image = known[key] {
            image.names = image.columns.isEmpty ? 0 : bits.names
            image.bits = bits.bits.map(\.rule)
            image.isolatedBy = bits.isolatedBy
            return image
        }
        let image = try PolicyEmitter.emit(bits)
        known[key] = image
        return image
    }
}
