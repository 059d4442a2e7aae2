public import BPFEmit
public import PolicyAPI

/// What an index of np_rule_hits stands for.
public enum HitMeaning: Hashable, Sendable {
    /// A rule bit.
    case rule(RuleBit)
    /// Isolated by these policies, and no rule matched.
    case defaultDeny(isolatedBy: [RuleOrigin])
    /// Not isolated, and no rule matched.
    case defaultAllow
    /// The node reaches its pods.
    case host
}
