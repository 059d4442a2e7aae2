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
