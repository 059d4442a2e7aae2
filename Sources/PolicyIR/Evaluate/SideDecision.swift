public import PolicyAPI

/// The decision of one end's policies about a flow.
public struct SideDecision: Hashable, Sendable {
    /// The verdict.
    public enum Verdict: Hashable, Sendable {
        /// Allowed.
        case allow
        /// Dropped.
        case deny
        /// Redirected to a proxy: allowed if at least one of these matches.
        case l7([L7Match])

        /// Whether TLS server names are all that is left to decide: then the SYN passes, and the ClientHello is asked about.
        public var isServerNames: Bool {
            guard case .l7(let matches) = self else { return false }
            return !matches.isEmpty && matches.allSatisfy { if case .serverNames = $0 { true } else { false } }
        }
    }

    /// The reason of the verdict.
    public enum Reason: Hashable, Sendable {
        /// This rule; the number is its index in `SubjectPolicy.rules`.
        case rule(Int, RuleOrigin)
        /// These rules with L7 conditions, and no plain one.
        case l7Rules([Int], [RuleOrigin])
        /// The remote end is the node that the pod runs on, which is always allowed unless a deny rule matches.
        case localNode
        /// The pod is both ends.
        case itself
        /// This end is not a pod, and no host policy selects it: no policy applies.
        case noPolicyHere
        /// No rule matches and nothing isolates the pod.
        case notIsolated
        /// No rule matches and these policies isolate the pod.
        case defaultDeny(isolatedBy: [RuleOrigin])
    }

    /// The verdict.
    public var verdict: Verdict
    /// Its reason.
    public var reason: Reason

    /// A decision.
    public init(_ verdict: Verdict, _ reason: Reason) {
        self.verdict = verdict
        self.reason = reason
    }
}
