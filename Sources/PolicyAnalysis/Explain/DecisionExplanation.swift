public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Why a flow is allowed or denied, for both of its sides.
public struct DecisionExplanation: Hashable, Sendable {
    /// The flow.
    public var flow: Flow
    /// The verdict of the flow.
    public var verdict: SideDecision.Verdict
    /// The sender's side (egress).
    public var egress: SideExplanation
    /// The receiver's side (ingress).
    public var ingress: SideExplanation
    /// The request in the flow; `nil` when only the connection is explained.
    public var request: RequestExplanation?
}

/// Why one end of a flow allows or denies it.
public struct SideExplanation: Hashable, Sendable {
    /// The direction of the side.
    public var direction: Direction
    /// The end as named in the flow.
    public var end: FlowEnd
    /// The other end as named in the flow.
    public var other: FlowEnd
    /// The flow as seen by the pod (or the node that host policies select) whose policies apply; else `nil`.
    public var side: FlowSide?
    /// The decision of these policies.
    public var decision: SideDecision
    /// The rules that decided; empty if none did.
    public var deciding: [RuleReference] = []
    /// The rules that passed the flow on to a later tier before.
    public var passes: [RuleReference] = []
    /// For a deny rule, the allow rules that also match; for an allow rule, the matching deny rules of lower precedence.
    public var overridden: [RuleReference] = []
    /// Where no rule decided and nothing isolates the pod: the policies that nevertheless select it in this direction.
    public var selecting: [RuleOrigin] = []
    /// For a default deny: the rules that nearly allow the flow.
    public var nearMisses: [NearMiss] = []
    /// Where no rule decided: the policies that nearly select the pod.
    public var subjectMisses: [SubjectMiss] = []

    /// The subject whose policies apply: a pod's `namespace/name`, or `node NAME` where host policies select it; else `nil`.
    public var subject: String? { side?.subjectName }
}

extension ReferenceEvaluator {
    /// Why a flow is allowed or denied.
    ///
    /// - Throws: `FlowError` when an end does not exist or the ends have no common address family.
    public func explain(_ flow: Flow) throws(FlowError) -> DecisionExplanation {
        let decision = try decide(flow)
        let ends = try view.resolve(flow)
        func side(_ direction: Direction, _ decision: SideDecision) -> SideExplanation {
            let isEgress = direction == .egress
            let remote = view.remote(of: ends, direction)
            let side: FlowSide? =
                switch ends[direction] {
                case .pod(let pod, _):
                    FlowSide(
                        subject: pod, direction: direction, remote: remote, protocol: flow.protocol, port: flow.port)
                case .node(let name, _) where hostPolicy(of: ends, direction) != nil:
                    FlowSide(
                        node: name, direction: direction, remote: remote, protocol: flow.protocol, port: flow.port)
                case .node, .outside, .masqueraded: nil
                }
            let explanation = SideExplanation(
                direction: direction, end: isEgress ? flow.from : flow.to, other: isEgress ? flow.to : flow.from,
                side: side, decision: decision)
            return side.map { explain($0, explanation) } ?? explanation
        }
        return DecisionExplanation(
            flow: flow, verdict: decision.verdict, egress: side(.egress, decision.egress),
            ingress: side(.ingress, decision.ingress))
    }

    /// A side's decision with its reasons.
    private func explain(_ side: FlowSide, _ bare: SideExplanation) -> SideExplanation {
        var result = bare
        let ofPod = side.subject.map { subjectPolicy(for: $0, side.direction) }
        guard let policy = ofPod ?? subjectPolicy(forNode: side.node, side.direction) else { return result }
        var side = side
        side.remote = policy.decidingEnd(
            subject: side.subject, side.direction, remote: side.remote, protocol: side.protocol, port: side.port)
        result.side = side
        switch bare.decision.reason {
        case .itself, .noPolicyHere, .localNode:
            return result
        case .rule(let number, _):
            result.deciding = [RuleReference(number, policy.rules[number])]
            result.overridden = policy.overridden(side, by: number)
        case .l7Rules(let numbers, _):
            result.deciding = numbers.map { RuleReference($0, policy.rules[$0]) }
        case .notIsolated:
            let selecting = side.subject.map(policies(selecting:)) ?? policies(selectingNode: side.node)
            result.selecting = selecting.filter { $0[side.direction] != nil }.map(\.origin).sorted()
            result.subjectMisses = subjectMisses(side, isDenied: false)
        case .defaultDeny:
            result.nearMisses = policy.nearMisses(side)
            result.subjectMisses = subjectMisses(side, isDenied: true)
        }
        result.passes = policy.passes(side)
        return result
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
