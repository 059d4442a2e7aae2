public import PolicyAPI

/// One rule of one direction: a bit of the compiled policy.
///
/// A rule matches a packet when its peers and its traffic match; `precedes` determines which of several wins.
public struct PolicyRule: Hashable, Sendable {
    /// The tier.
    public var tier: Tier
    /// Within the tier, lower is evaluated first; 0 for the normal tier.
    public var priority: UInt32
    /// Its index in the list of its object, which decides within the object: "list order inside object = precedence". 0 for
    /// every rule of the normal tier, where order has no meaning.
    public var order: UInt32
    /// Its action.
    public var action: RuleAction
    /// The peers it matches.
    public var peers: PeerMatch
    /// The packets it matches.
    public var traffic: TrafficMatch
    /// Its L7 conditions; `nil` for a plain rule. Only with `allow`.
    public var l7: L7Match?
    /// Its origin.
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

    /// The order in which rules are numbered: tier, priority, object and index in it (in tiers where order counts), action
    /// (deny first), origin.
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

    /// Whether it precedes another rule of the same object, tier and priority.
    public func precedesInItsObject(_ other: PolicyRule) -> Bool {
        order < other.order && tier == other.tier && priority == other.priority && origin.isSameObject(as: other.origin)
    }
}

/// The L7 conditions of a rule. A rule with L7 conditions redirects the connection to the proxy.
public enum L7Match: Hashable, Sendable {
    /// HTTP requests: at least one of the rules must match.
    case http([Located<HTTPRule>])
    /// DNS queries for names that at least one selector matches.
    case dns([Located<FQDNSelector>])
    /// TLS with a server name that at least one pattern matches.
    case serverNames([Located<String>])
}
