public import PolicyAPI

/// What the policies of one end say about a flow.
public struct SideDecision: Hashable, Sendable {
    /// The answer.
    public enum Verdict: Hashable, Sendable {
        /// Passed.
        case allow
        /// Dropped.
        case deny
        /// Let in to a proxy: what at least one of these permits passes.
        case l7([L7Match])
    }

    /// What led to the answer.
    public enum Reason: Hashable, Sendable {
        /// This rule; the number is its index in `SubjectPolicy.rules`.
        case rule(Int, RuleOrigin)
        /// These rules with L7 conditions, and no plain one.
        case l7Rules([Int], [RuleOrigin])
        /// The other end is the node that the pod runs on: it always reaches its pods, unless a deny rule matches.
        case localNode
        /// The pod speaks to itself.
        case itself
        /// This end is no pod, and no host policy selects it: no policy is asked.
        case noPolicyHere
        /// No rule matches and nothing isolates the pod.
        case notIsolated
        /// No rule matches and these policies isolate the pod.
        case defaultDeny(isolatedBy: [RuleOrigin])
    }

    /// The answer.
    public var verdict: Verdict
    /// What led to it.
    public var reason: Reason

    /// A decision.
    public init(_ verdict: Verdict, _ reason: Reason) {
        self.verdict = verdict
        self.reason = reason
    }
}
