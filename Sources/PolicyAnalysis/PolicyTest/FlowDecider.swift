public import PolicyIR

/// Something that decides flows: the reference evaluator, or loaded programs.
public protocol FlowDecider {
    /// What both ends say about a flow.
    ///
    /// - Throws: when the flow cannot be decided; the error's description is shown.
    func answer(_ flow: Flow) throws -> FlowAnswer
}

extension ReferenceEvaluator: FlowDecider {
    /// What both ends say about a flow.
    public func answer(_ flow: Flow) throws -> FlowAnswer { FlowAnswer(try decide(flow)) }
}
