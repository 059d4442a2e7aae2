public import PolicyAPI

/// One rule of one direction: a bit of the compiled policy.
///
/// A rule matches a packet when its peers and its traffic match; `precedence` says which of several wins.
public struct PolicyRule: Hashable, Sendable {
    /// The tier.
    public var tier: Tier
    /// Within the tier, lower is asked first; 0 for the normal tier.
    public var priority: UInt32
    /// Its place in the list of its object, which decides within the object: "list order inside object = precedence". 0 for
    /// every rule of the normal tier, where order has no meaning.
    public var order: UInt32
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
        tier: Tier = .normal, priority: UInt32 = 0, order: UInt32 = 0, action: RuleAction, peers: PeerMatch,
        traffic: TrafficMatch,
        l7: L7Match? = nil, origin: RuleOrigin
    ) {
        self.tier = tier
        self.priority = priority
        self.order = order
        self.action = action
        self.peers = peers
        self.traffic = traffic
        self.l7 = l7
        self.origin = origin
    }

    /// The order rules are numbered in: tier, priority, object and place in it (in the tiers where order counts), action (deny
    /// first), origin.
    public static func precedes(_ left: PolicyRule, _ right: PolicyRule) -> Bool {
        if left.tier != right.tier { return left.tier < right.tier }
        if left.priority != right.priority { return left.priority < right.priority }
        if left.tier != .normal {
            if !left.origin.isSameObject(as: right.origin) { return left.origin < right.origin }
            if left.order != right.order { return left.order < right.order }
        }
        if left.action != right.action { return left.action < right.action }
        return left.origin < right.origin
    }

    /// Whether it stands before another rule of the same object, tier and priority.
    public func precedesInItsObject(_ other: PolicyRule) -> Bool {
        order < other.order && tier == other.tier && priority == other.priority && origin.isSameObject(as: other.origin)
    }
}

/// What a rule asks of the payload. A rule with L7 conditions admits the connection to the proxy only.
public enum L7Match: Hashable, Sendable {
    /// HTTP requests: at least one of the rules must match.
    case http([Located<HTTPRule>])
    /// DNS queries for names at least one selector matches.
    case dns([Located<FQDNSelector>])
    /// TLS with a server name at least one pattern matches.
    case serverNames([Located<String>])
}
