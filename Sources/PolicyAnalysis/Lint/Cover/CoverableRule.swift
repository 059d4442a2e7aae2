import PolicyIR

/// A rule prepared for comparison with many others.
struct CoverableRule {
    /// The rule.
    let rule: PolicyRule
    private let peers: PeerCover

    init(_ rule: PolicyRule) {
        self.rule = rule
        peers = PeerCover(rule.peers)
    }

    /// Whether this rule matches every packet that the other matches, and is evaluated no later.
    func covers(_ other: CoverableRule) -> Bool {
        rule.tier == other.rule.tier && rule.priority <= other.rule.priority
            // Where list order counts, earlier rules of the object may match packets first.
            && (rule.order == 0 || rule.precedesInItsObject(other.rule))
            && coversPackets(of: other)
    }

    /// Whether this rule matches every packet that the other matches, whichever is evaluated first.
    func coversPackets(of other: CoverableRule) -> Bool {
        rule.traffic.covers(other.rule.traffic) && peers.covers(other.peers)
    }
}
