import PolicyIR

extension ExplanationReport {
    /// The request of a flow in the output of `netpold explain --json`.
    public struct Request: Encodable, Sendable {
        let text: String
        let verdict: String
        let endedField: String?
        let sides: [RequestSide]

        init(_ explanation: RequestExplanation) {
            text = "\(explanation.request)"
            verdict = explanation.isPermitted ? "allow" : "deny"
            endedField = explanation.endedField
            sides = explanation.sides.map(RequestSide.init)
        }
    }

    /// An end with L7 rules.
    struct RequestSide: Encodable, Sendable {
        let direction: String
        let subject: String
        let verdict: String
        let permittedBy: [Policy]
        let headerActions: [HeaderStep]
        let nearestRules: [RequestRule]
        let omittedRules: Int

        init(_ side: RequestExplanation.Side) {
            direction = "\(side.direction)"
            subject = side.subject
            verdict = side.answer.isPermitted ? "allow" : "deny"
            if case .permitted(let origins, let actions) = side.answer {
                permittedBy = origins.map(Policy.init)
                headerActions = actions.map(HeaderStep.init)
            } else {
                permittedBy = []
                headerActions = []
            }
            nearestRules = side.nearMisses.map(RequestRule.init)
            omittedRules = side.omitted
        }
    }

    /// An action on a header.
    struct HeaderStep: Encodable, Sendable {
        let action: String
        let name: String
        let value: String?

        init(_ action: HeaderAction) {
            self.action = action.kind.rawValue
            name = action.name
            value = action.kind == .delete ? nil : action.value
        }
    }

    /// An element of L7 rules that does not match.
    struct RequestRule: Encodable, Sendable {
        let rule: Policy
        let failed: [Condition]

        init(_ miss: RequestMiss) {
            rule = Policy(miss.origin)
            failed = miss.failed.map(Condition.init)
        }
    }
}
