public import NetTypes

/// A policy object (or one rule of a Cilium object) that was refused. Its subject must not be treated as if the policy did
/// not exist: the agent isolates it in the directions that the policy covers.
public struct PolicyRefusal: Hashable, Sendable {
    /// The object.
    public var origin: RuleOrigin
    /// The subject, or a larger set where a condition of its selector cannot be read: an omitted condition selects more,
    /// never less. `nil` when it selects no pods, or when even its namespace is unknown.
    public var subject: PolicySubject?
    /// Whether it covers ingress; `true` when that is unknown.
    public var ingress: Bool
    /// Whether it covers egress; `true` when that is unknown.
    public var egress: Bool
    /// The directions in which it denies or may deny. What it denies is unknown, and another policy may allow it, so
    /// isolation alone would not be enough.
    public var denies: Set<Direction>
    /// The tier it denies in. Only the normal tier has isolation.
    public var tier: Tier
    /// The priority it denies with; 0, the strongest, when that is unknown.
    public var priority: UInt32
    /// The addresses that it denies; `nil`: everything.
    public var addresses: [IPAddress]?

    /// A refused policy.
    public init(
        origin: RuleOrigin, subject: PolicySubject?, ingress: Bool, egress: Bool, denies: Set<Direction> = [],
        tier: Tier = .normal, priority: UInt32 = 0, addresses: [IPAddress]? = nil
    ) {
        self.origin = origin
        self.subject = subject
        self.ingress = ingress
        self.egress = egress
        self.denies = denies
        self.tier = tier
        self.priority = priority
        self.addresses = addresses
    }
}
