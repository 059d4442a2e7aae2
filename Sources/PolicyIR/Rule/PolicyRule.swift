/// One rule of one direction: a bit of the compiled policy.
///
/// A rule matches a packet when its peers and its traffic match; `precedence` says which of several wins.
public struct PolicyRule: Hashable, Sendable {
    /// The tier.
    public var tier: Tier
    /// Within the tier, lower is asked first; 0 for the normal tier.
    public var priority: UInt32
    /// What it does.
    public var action: RuleAction
    /// Whom it is about.
    public var peers: PeerMatch
    /// Which packets it is about.
    public var traffic: TrafficMatch
    /// What it asks of the payload; `nil` for a plain rule. Only with `allow`.
    public var l7: L7Match?
    /// Where it is written.
    public var origin: RuleOrigin

    /// A rule.
    public init(
        tier: Tier = .normal, priority: UInt32 = 0, action: RuleAction, peers: PeerMatch, traffic: TrafficMatch,
        l7: L7Match? = nil, origin: RuleOrigin
    ) {
        self.tier = tier
        self.priority = priority
        self.action = action
        self.peers = peers
        self.traffic = traffic
        self.l7 = l7
        self.origin = origin
    }

    /// The order rules are asked and numbered in: tier, priority, action (deny first), origin.
    public static func precedes(_ left: PolicyRule, _ right: PolicyRule) -> Bool {
        if left.tier != right.tier { return left.tier < right.tier }
        if left.priority != right.priority { return left.priority < right.priority }
        if left.action != right.action { return left.action < right.action }
        return left.origin < right.origin
    }
}
