public import PolicyIR

/// Something that decides flows: the reference evaluator, or loaded programs.
public protocol FlowDecider {
    /// The answers of both ends to a flow.
    ///
    /// - Throws: when the flow cannot be decided; the error's description is shown.
    func answer(_ flow: Flow) throws -> FlowAnswer
}

extension ReferenceEvaluator: FlowDecider {
    /// The answers of both ends to a flow.
    public func answer(_ flow: Flow) throws -> FlowAnswer { FlowAnswer(try decide(flow)) }
}

/// The answers of both ends to a flow, without reasons.
public struct FlowAnswer: Hashable, Sendable {
    /// One end's answer.
    public enum Verdict: String, Hashable, Sendable {
        /// Allowed.
        case allow
        /// Dropped.
        case deny
        /// Redirected to a proxy that applies the L7 rules.
        case l7
    }

    /// The sender's answer.
    public var egress: Verdict
    /// The receiver's answer.
    public var ingress: Verdict

    /// An answer.
    public init(egress: Verdict, ingress: Verdict) {
        self.egress = egress
        self.ingress = ingress
    }

    /// The combined answer: both ends must allow the flow.
    public var verdict: Verdict {
        if egress == .deny || ingress == .deny { return .deny }
        return egress == .l7 || ingress == .l7 ? .l7 : .allow
    }
}

extension FlowAnswer {
    /// The answer of a decision.
    public init(_ decision: Decision) {
        self.init(
            egress: Verdict(decision.egress.verdict), ingress: Verdict(decision.ingress.verdict))
    }
}

extension FlowAnswer.Verdict {
    /// The answer without its rules.
    public init(_ verdict: SideDecision.Verdict) {
        switch verdict {
        case .allow: self = .allow
        case .deny: self = .deny
        case .l7: self = .l7
        }
    }
}
