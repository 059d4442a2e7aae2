public import PolicyIR

/// What the reference evaluator says will become of a probe.
public struct LabPrediction: Hashable, Sendable {
    /// What both sides' policies say.
    public var decision: Decision

    /// A prediction.
    public init(_ decision: Decision) { self.decision = decision }

    /// Whether an answer is expected. A flow that only L7 rules match needs the proxy; the lab runs none, so the
    /// datapath has to drop it.
    public var passes: Bool { decision.verdict == .allow }

    /// `allowed`, `denied`, or `denied (needs the L7 proxy)`.
    public var summary: String {
        switch decision.verdict {
        case .allow: "allowed"
        case .deny: "denied"
        case .l7: "denied (only L7 rules match, and the lab runs no proxy)"
        }
    }
}
