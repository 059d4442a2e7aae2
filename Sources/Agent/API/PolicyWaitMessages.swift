/// What `netpold wait` asks for.
public struct PolicyWaitRequest: Hashable, Codable, Sendable {
    /// Which policy.
    public var policy: PolicyName
    /// Whether to wait until there is no such policy, instead of until it is in force.
    public var isGone: Bool
    /// How long, at most.
    public var timeoutMilliseconds: Int

    /// A request.
    public init(policy: PolicyName, isGone: Bool = false, timeoutMilliseconds: Int) {
        self.policy = policy
        self.isGone = isGone
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case policy = "policy"
        case isGone = "isGone"
        case timeoutMilliseconds = "timeoutMilliseconds"
    }

    /// Reads a request; `isGone` may be missing.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        policy = try fields.decode(PolicyName.self, forKey: .policy)
        isGone = try fields.decodeIfPresent(Bool.self, forKey: .isGone) ?? false
        timeoutMilliseconds = try fields.decode(Int.self, forKey: .timeoutMilliseconds)
    }
}

/// What came of a wait for a policy.
public struct PolicyWaitReport: Hashable, Codable, Sendable {
    /// How it ended.
    public enum Outcome: String, Hashable, Codable, Sendable, CaseIterable {
        /// The version that its source has now is in force on the node.
        case inForce = "inForce"
        /// No such policy is in force, nor does a source have one.
        case gone = "gone"
        /// What its source has now is refused: waiting longer brings nothing.
        case refused = "refused"
        /// Several kinds have a policy of the name.
        case ambiguous = "ambiguous"
        /// The time was over.
        case pending = "pending"
    }

    /// How it ended.
    public var outcome: Outcome
    /// The policies of the name that the agent has read, sorted.
    public var policies: [PolicyReport]
    /// Why it is not as asked, in words; empty when it is.
    public var reason: String

    /// A report.
    public init(_ outcome: Outcome, policies: [PolicyReport] = [], reason: String = "") {
        self.outcome = outcome
        self.policies = policies
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
        case outcome = "outcome"
        case policies = "policies"
        case reason = "reason"
    }
}
