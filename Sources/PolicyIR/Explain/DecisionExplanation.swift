/// Why a flow passes or not, side by side.
public struct DecisionExplanation: Hashable, Sendable {
    /// One side.
    public struct Side: Hashable, Sendable {
        /// Which side.
        public var direction: Direction
        /// The pod whose policies are asked, `namespace/name`; `nil` when that end is no pod.
        public var subject: String?
        /// What they say.
        public var decision: SideDecision
        /// For a default deny: the rules that came nearest.
        public var nearMisses: [NearMiss]
    }

    /// The flow.
    public var flow: Flow
    /// The whole answer.
    public var verdict: SideDecision.Verdict
    /// The sender's side.
    public var egress: Side
    /// The receiver's side.
    public var ingress: Side
}

extension ReferenceEvaluator {
    /// Why a flow passes or not.
    ///
    /// - Throws: `FlowError` when an end does not exist or the ends have no common address family.
    public func explain(_ flow: Flow) throws(FlowError) -> DecisionExplanation {
        let decision = try decide(flow)
        let ends = try view.resolve(flow)
        func side(_ direction: Direction, _ decision: SideDecision) -> DecisionExplanation.Side {
            let subject = ends.subject(direction)
            var misses: [NearMiss] = []
            if let subject, case .defaultDeny = decision.reason {
                misses = subjectPolicy(for: subject, direction).nearMisses(
                    subject: subject, direction, remote: view.remote(of: ends, direction), protocol: flow.protocol,
                    port: flow.port)
            }
            return DecisionExplanation.Side(
                direction: direction, subject: subject?.qualifiedName, decision: decision, nearMisses: misses)
        }
        return DecisionExplanation(
            flow: flow, verdict: decision.verdict, egress: side(.egress, decision.egress),
            ingress: side(.ingress, decision.ingress))
    }
}

extension SideDecision.Verdict {
    /// `allow`, `deny` or `l7`.
    public var word: String {
        switch self {
        case .allow: "allow"
        case .deny: "deny"
        case .l7: "l7"
        }
    }
}

extension DecisionExplanation.Side {
    /// The side in words, one line each, the first without indentation: who decides what, then why.
    public var lines: [String] {
        guard let subject else {
            return ["\(direction): \(decision.verdict.word)", "  this end is no pod: no policy is asked"]
        }
        return ["\(direction) of \(subject): \(decision.verdict.word)"] + reason(subject)
    }

    private func reason(_ subject: String) -> [String] {
        switch decision.reason {
        case .rule(let number, let origin): return ["  by rule \(number): \(origin)"]
        case .l7Rules(let numbers, let origins):
            return ["  as the proxy decides by"] + zip(numbers, origins).map { "    rule \($0): \($1)" }
        case .localNode: return ["  its own node always reaches it"]
        case .itself: return ["  a pod always reaches itself"]
        case .noPolicyHere: return ["  no policy is asked"]
        case .notIsolated: return ["  no policy isolates it, and no rule denies"]
        case .defaultDeny(let isolating):
            var lines = ["  no rule allows it, and it is isolated by"] + isolating.map { "    \($0)" }
            if nearMisses.isEmpty { return lines + ["  which have no rule that allows anything"] }
            lines.append(nearMisses.count == 1 ? "  nearest rule" : "  nearest rules")
            for miss in nearMisses {
                lines.append("    rule \(miss.rule): \(miss.origin)")
                lines.append("      but \(miss.failed.joined(separator: ", and "))")
            }
            return lines
        }
    }
}
