public import BPFEmit
public import NetTypes

/// What a counter of np_rule_hits stands for.
public struct RuleHitKey: Hashable, Sendable {
    /// What decided.
    public enum Meaning: Hashable, Sendable {
        /// A rule bit.
        case rule(RuleBit)
        /// Isolated, and no rule matched.
        case defaultDeny
        /// Not isolated, and no rule matched.
        case defaultAllow
        /// The node reaches its pods.
        case host
    }

    /// `SubjectImage.key` of the pods whose policy decided.
    public var subject: String
    /// The policy's direction.
    public var direction: Direction
    /// What in it decided.
    public var meaning: Meaning

    /// A key.
    public init(subject: String, direction: Direction, meaning: Meaning) {
        self.subject = subject
        self.direction = direction
        self.meaning = meaning
    }
}
