public import NetTypes

/// A policy object (or one rule of a Cilium object) that was refused. The pods it names must not be left as if it had
/// never been written (design section 3): the agent isolates them in the directions it speaks about.
public struct PolicyRefusal: Hashable, Sendable {
    /// The object.
    public var origin: RuleOrigin
    /// Whom it selects, or more where a condition of its selector cannot be read: a condition left out selects more, never
    /// less. `nil` when it names no pods, or does not even say in which namespace.
    public var subject: PolicySubject?
    /// Whether it speaks about traffic to the subject, as far as that can be told; if it cannot, it does.
    public var ingress: Bool
    /// Whether it speaks about traffic from the subject, as far as that can be told; if it cannot, it does.
    public var egress: Bool
    /// The directions in which it denies, as far as that can be told. What it denies is not known, and another policy may
    /// allow it, so isolation alone would let it pass.
    public var denies: Set<Direction>
    /// The tier it denies in. Only in the normal tier there is isolation.
    public var tier: Tier
    /// The priority it denies with; 0, the strongest, if it cannot be told.
    public var priority: UInt32

    /// A refused policy.
    public init(
        origin: RuleOrigin, subject: PolicySubject?, ingress: Bool, egress: Bool, denies: Set<Direction> = [],
        tier: Tier = .normal, priority: UInt32 = 0
    ) {
        self.origin = origin
        self.subject = subject
        self.ingress = ingress
        self.egress = egress
        self.denies = denies
        self.tier = tier
        self.priority = priority
    }
}
