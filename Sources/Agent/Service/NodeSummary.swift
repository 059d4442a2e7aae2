/// What an agent tells the cluster of its node, where it is asked to.
public struct NodeSummary: Hashable, Sendable {
    /// How many times the kernel was brought to a new state in this life of the agent.
    public var revision: UInt64
    /// Whether everything read is in force.
    public var isInForce: Bool
    /// Policies in force, as written or as last accepted.
    public var policiesInForce: Int
    /// Policies that are refused.
    public var policiesRefused: Int
    /// What is not enforced as written: what it is about and a sentence.
    public var problems: [String]

    /// A summary.
    public init(
        revision: UInt64, isInForce: Bool, policiesInForce: Int, policiesRefused: Int, problems: [String]
    ) {
        self.revision = revision
        self.isInForce = isInForce
        self.policiesInForce = policiesInForce
        self.policiesRefused = policiesRefused
        self.problems = problems
    }
}
