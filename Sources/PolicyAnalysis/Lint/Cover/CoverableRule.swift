import PolicyIR

/// A rule prepared to be compared with many others.
struct CoverableRule {
    /// The rule.
    let rule: PolicyRule
    private let peers: PeerCover

    init(_ rule: PolicyRule) {
        self.rule = rule
        peers = PeerCover(rule.peers)
    }

    /// Whether every packet that the other rule matches is matched by this one, and asked of this one no later.
    func covers(_ other: CoverableRule) -> Bool {
        rule.tier == other.rule.tier && rule.priority <= other.rule.priority
            // Where the order of a list counts, what stands before this rule may take packets from it.
            && (rule.order == 0 || rule.precedesInItsObject(other.rule))
            && rule.traffic.covers(other.rule.traffic) && peers.covers(other.peers)
    }
}
