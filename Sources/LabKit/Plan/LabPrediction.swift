public import PolicyIR

/// What the reference evaluator says will become of a probe.
public struct LabPrediction: Hashable, Sendable {
    /// What both sides' policies say.
    public var decision: Decision

    /// A prediction.
    public init(_ decision: Decision) { self.decision = decision }

    /// Whether an answer is expected, whatever is said.
    public var passes: Bool { decision.verdict == .allow }

    /// Whether only L7 rules match: then what is said decides, and what is none of their requests gets no answer.
    public var needsRequest: Bool { if case .l7 = decision.verdict { true } else { false } }

    /// `allowed`, `denied`, or that requests decide.
    public var summary: String {
        switch decision.verdict {
        case .allow: "allowed"
        case .deny: "denied"
        case .l7: "no answer to what is no request (only L7 rules match)"
        }
    }
}
