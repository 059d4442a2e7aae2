public import NetTypes
public import PolicyAPI

/// What decided a packet, as a counter of np_rule_hits stands for it.
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

/// What a counter of np_rule_hits counts: packets of one subject and direction that one thing decided.
public struct RuleHitKey: Hashable, Sendable {
    /// `SubjectImage.key` of the pods whose policy decided.
    public var subject: String
    /// The policy's direction.
    public var direction: Direction
    /// What in it decided.
    public var meaning: HitMeaning

    /// A key.
    public init(subject: String, direction: Direction, meaning: HitMeaning) {
        self.subject = subject
        self.direction = direction
        self.meaning = meaning
    }
}
