import PolicyIR

/// An explanation as JSON.
struct ExplanationReport: Encodable {
    struct Rule: Encodable {
        let number: Int?
        let kind: String
        let namespace: String
        let name: String
        let path: String
        let place: String?
        let failed: [String]?

        init(_ origin: RuleOrigin, number: Int? = nil, failed: [String]? = nil) {
            self.number = number
            kind = origin.kind
            namespace = origin.namespace
            name = origin.name
            path = origin.path
            place = origin.location.map { "\($0)" }
            self.failed = failed
        }
    }

    struct Side: Encodable {
        let subject: String?
        let verdict: String
        let reason: String
        let rules: [Rule]
        let isolatedBy: [Rule]
        let nearestRules: [Rule]

        init(_ side: DecisionExplanation.Side) {
            subject = side.subject
            verdict = side.decision.verdict.word
            nearestRules = side.nearMisses.map { Rule($0.origin, number: $0.rule, failed: $0.failed) }
            var rules: [Rule] = []
            var isolatedBy: [Rule] = []
            switch side.decision.reason {
            case .rule(let number, let origin):
                reason = "rule"
                rules = [Rule(origin, number: number)]
            case .l7Rules(let numbers, let origins):
                reason = "l7-rules"
                rules = zip(numbers, origins).map { Rule($1, number: $0) }
            case .localNode: reason = "local-node"
            case .itself: reason = "itself"
            case .noPolicyHere: reason = "no-pod"
            case .notIsolated: reason = "not-isolated"
            case .defaultDeny(let origins):
                reason = "default-deny"
                isolatedBy = origins.map { Rule($0) }
            }
            self.rules = rules
            self.isolatedBy = isolatedBy
        }
    }

    let from: String
    let to: String
    let `protocol`: String
    let port: UInt16
    let verdict: String
    let egress: Side
    let ingress: Side

    init(_ explanation: DecisionExplanation) {
        from = "\(explanation.flow.from)"
        to = "\(explanation.flow.to)"
        `protocol` = "\(explanation.flow.protocol)"
        port = explanation.flow.port
        verdict = explanation.verdict.word
        egress = Side(explanation.egress)
        ingress = Side(explanation.ingress)
    }
}
