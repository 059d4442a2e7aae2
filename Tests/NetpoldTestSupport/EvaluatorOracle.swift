public import NetTypes
public import PolicyIR

/// The evaluator, with a subject's rules collected once.
public struct EvaluatorOracle {
    private let evaluator: ReferenceEvaluator
    private var known: [String: SubjectPolicy] = [:]

    /// Decides with this evaluator.
    public init(_ evaluator: ReferenceEvaluator) { self.evaluator = evaluator }

    /// What the local pod that owns an address answers, the rules it answers by, and the other end as it sees it; `nil` if
    /// none owns it, or if it speaks to itself.
    public mutating func ask(
        _ own: IPAddress, _ direction: Direction, _ remote: IPAddress, _ proto: L4Protocol, _ port: UInt16,
        localNode: String
    ) -> (decision: SideDecision, policy: SubjectPolicy, remote: RemoteEnd)? {
        guard case .pod(let pod) = evaluator.view.owner(of: own), evaluator.view.node(of: pod) == localNode else {
            return nil
        }
        if case .pod(let other) = evaluator.view.owner(of: remote), other.qualifiedName == pod.qualifiedName {
            return nil
        }
        let key = "\(pod.qualifiedName) \(direction)"
        let policy = known[key] ?? evaluator.subjectPolicy(for: pod, direction)
        known[key] = policy
        let end = evaluator.view.remoteEnd(address: remote, seenFrom: localNode)
        let decision = policy.decide(subject: pod, direction, remote: end, protocol: proto, port: port)
        return (decision, policy, end)
    }

    /// What the local pod that owns an address answers to a packet that its node forwards under an address of its own; `nil` if
    /// none owns it, or if that is not the node's.
    public mutating func decideMasqueraded(
        _ own: IPAddress, as node: IPAddress, _ proto: L4Protocol, _ port: UInt16, localNode: String
    ) -> SideDecision? {
        guard case .node(localNode) = evaluator.view.owner(of: node),
            let asked = ask(own, .ingress, node, proto, port, localNode: localNode),
            case .pod(let pod) = evaluator.view.owner(of: own)
        else { return nil }
        return asked.policy.decide(
            subject: pod, .ingress, remote: evaluator.view.remoteEnd(masqueradedAs: node), protocol: proto, port: port)
    }

    /// What the local pod that owns an address answers; `nil` if none does, or if it speaks to itself.
    public mutating func decide(
        _ own: IPAddress, _ direction: Direction, _ remote: IPAddress, _ proto: L4Protocol, _ port: UInt16,
        localNode: String
    ) -> SideDecision? {
        ask(own, direction, remote, proto, port, localNode: localNode)?.decision
    }
}
