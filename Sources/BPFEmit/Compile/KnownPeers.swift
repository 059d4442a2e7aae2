/// The entries of a policy's `peers` map with what they were made from, for the policy that takes its place: an edit of ports changes
/// nothing in them.
struct KnownPeers: Sendable {
    private let bits: [PolicyBits.Bit]
    private let carriers: [DirectionCompiler.Carriers]
    /// How many entries carry each bit.
    let carried: [Int32]
    /// The entries, sorted by identity.
    let entries: PeerTable
    /// Words of each.
    let width: Int

    /// Those of a compiled policy.
    init(of policy: DirectionPolicy) {
        bits = policy.bits
        carriers = policy.carriers
        carried = policy.carried
        entries = policy.image.peers
        width = policy.image.words
    }

    /// Whether they are those of other bits too: the same terms carry each, and no port that remotes have under a name narrows one down.
    ///
    /// Which remotes a term matches must not have changed since. The same bits are carried then, so the entries have as many words.
    /// What carries the other bits is in `carriers`, the host bit's behind the others.
    func are(of other: PolicyBits, _ carriers: [DirectionCompiler.Carriers]) -> Bool {
        guard bits.count == other.bits.count, carried.count == bits.count + 1, carriers == self.carriers,
            carriers.allSatisfy({ $0.port == nil })
        else { return false }
        return zip(bits, other.bits).allSatisfy { known, bit in
            known.matchesAnyPeer == bit.matchesAnyPeer
                && (known.rule.action == .deny) == (bit.rule.action == .deny)
        }
    }
}
