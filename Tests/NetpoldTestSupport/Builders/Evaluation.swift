public import PolicyAPI
import PolicyAnalysis
public import PolicyIR

/// An evaluator of the policies among the objects, as lowered.
public func evaluator(_ objects: ClusterObjects, localNode: String? = nil) -> ReferenceEvaluator {
    ReferenceEvaluator(objects, policies: PolicyLowering.lower(objects).policies, localNode: localNode)
}

extension ReferenceEvaluator {
    /// Both sides and the verdict of a flow between ends and of traffic as text: `allow/deny=deny`.
    ///
    /// - Throws: `TestInputError` for text that is not an end or traffic; `FlowError` when the flow cannot be decided.
    public func answer(_ from: String, _ to: String, _ traffic: String = "80/TCP") throws -> String {
        guard let sender = FlowEnd(parsing: from) else { throw TestInputError("\(from) is not an end of a flow") }
        guard let receiver = FlowEnd(parsing: to) else { throw TestInputError("\(to) is not an end of a flow") }
        guard let name = TrafficName(parsing: traffic) else { throw TestInputError("\(traffic) is not traffic") }
        let answer = try answer(Flow(from: sender, to: receiver, protocol: name.protocol, port: name.port))
        return "\(answer.egress.rawValue)/\(answer.ingress.rawValue)=\(answer.verdict.rawValue)"
    }
}
