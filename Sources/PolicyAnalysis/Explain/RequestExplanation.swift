public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Why a request is allowed or denied.
public struct RequestExplanation: Hashable, Sendable {
    /// One end with L7 rules.
    public struct Side: Hashable, Sendable {
        /// The direction of the end.
        public var direction: Direction
        /// The pod whose rules apply, `namespace/name`.
        public var subject: String
        /// The answer of the rules.
        public var answer: L7Answer
        /// For a denial: the elements of the rules that nearly match.
        public var nearMisses: [RequestMiss]
        /// The number of further elements.
        public var omitted: Int
    }

    /// The request.
    public var request: L7Request
    /// Whether the connection and the request are allowed.
    public var isPermitted: Bool
    /// A field of rules that an option of Connection names: the request is denied by that (`RequestDecision.endedField`).
    public var endedField: String?
    /// The ends whose rules were evaluated; empty when the connection is denied or no L7 rule applies.
    public var sides: [Side]
}

/// An element of `rules.http`, `rules.dns` or `serverNames` that does not match a request.
public struct RequestMiss: Hashable, Sendable {
    /// Its origin.
    public var origin: RuleOrigin
    /// Every condition that failed.
    public var failed: [FailedCondition]
}

extension L7Matcher {
    /// The elements that nearly match a request that none matches: the fewest failed conditions first, then in rule order, at
    /// most `limit`. For a rule about another kind of request only the rule itself is listed.
    func nearMisses(_ request: L7Request, limit: Int) -> (misses: [RequestMiss], omitted: Int) {
        var misses: [RequestMiss] = []
        var foreign: Set<Int> = []
        for element in elements {
            var origin = element.origin
            if !element.condition.isAbout(request) {
                guard foreign.insert(element.rule).inserted else { continue }
                origin = element.ruleOrigin
            }
            misses.append(RequestMiss(origin: origin, failed: element.failedConditions(for: request)))
        }
        let ranked = misses.enumerated().sorted { left, right in
            let (one, two) = (left.element.failed, right.element.failed)
            return (one.count, one.distance, left.offset) < (two.count, two.distance, right.offset)
        }
        return (ranked.prefix(limit).map(\.element), max(0, ranked.count - limit))
    }
}

extension ReferenceEvaluator {
    /// Why a flow and a request in it are allowed or denied. Of the rules that do not match the request, the nearest `limit`
    /// are reported.
    ///
    /// - Throws: `FlowError` when an end does not exist or the ends have no common address family.
    public func explain(_ flow: Flow, request: L7Request?, limit: Int = 10) throws(FlowError) -> DecisionExplanation {
        var explanation = try explain(flow)
        guard let request else { return explanation }
        let isConnected = explanation.verdict != .deny
        var requests = RequestDecider()
        var answers = RequestDecision()
        if isConnected {
            answers = requests.decide(
                request,
                in: Decision(egress: explanation.egress.decision, ingress: explanation.ingress.decision))
        }
        var sides: [RequestExplanation.Side] = []
        for (answer, side) in [(answers.egress, explanation.egress), (answers.ingress, explanation.ingress)] {
            guard let answer, let matcher = requests.matcher(side.decision) else { continue }
            let seen = side.direction == .ingress ? answers.arriving(request) : request
            let (misses, omitted) = answer == .denied ? matcher.nearMisses(seen, limit: limit) : ([], 0)
            sides.append(
                .init(
                    direction: side.direction, subject: side.subject ?? "\(side.end)", answer: answer,
                    nearMisses: misses, omitted: omitted))
        }
        explanation.request = RequestExplanation(
            request: request, isPermitted: isConnected && answers.isPermitted, endedField: answers.endedField,
            sides: sides)
        return explanation
    }
}
