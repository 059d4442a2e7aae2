/// A tier of policies. Tiers are evaluated in this order; `pass` skips to the next.
public enum Tier: UInt8, Hashable, Comparable, CaseIterable, Sendable {
    /// ClusterNetworkPolicy tier Admin, AdminNetworkPolicy.
    case admin = 0
    /// NetworkPolicy, CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy. The only tier with isolation.
    case normal = 1
    /// ClusterNetworkPolicy tier Baseline; not evaluated for a pod isolated in the normal tier.
    case baseline = 2

    /// In evaluation order.
    public static func < (left: Tier, right: Tier) -> Bool { left.rawValue < right.rawValue }
}

/// What a matching rule does.
public enum RuleAction: UInt8, Hashable, Comparable, Sendable {
    /// Drop; beats `allow` of the same tier and priority, except for the order inside one object (`PolicyRule.order`).
    case deny = 0
    /// Allow (or, with L7 rules, redirect to the proxy).
    case allow = 1
    /// Skip the rest of the tier.
    case pass = 2

    /// Stronger first.
    public static func < (left: RuleAction, right: RuleAction) -> Bool { left.rawValue < right.rawValue }
}
