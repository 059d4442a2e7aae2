extension FlowRules {
    /// What became of a DNS query.
    public struct QueryAnswer: Sendable {
        /// Whether it is allowed.
        public var isPermitted: Bool
        /// The rule that allows it: the sender's, if that end has rules. `nil` when it is denied, or no end has rules.
        public var rule: CompiledNameRule?
        /// Whether an end has rules.
        public var hasRules: Bool
    }

    /// Decides a query. It passes when each end that has rules has a DNS rule that allows its name; without any, when the flow is
    /// unrestricted.
    ///
    /// - Parameter name: The labels with dots between them, without what would be another name so (`QueryName` of the proxy).
    /// - Returns: The decision, and by which rule.
    public func decide(query name: String) -> QueryAnswer {
        let sides = [egress, ingress].compactMap(\.self)
        guard !sides.isEmpty else { return QueryAnswer(isPermitted: isUnrestricted, rule: nil, hasRules: false) }
        let rules = sides.compactMap { $0.rule(forQuery: name) }
        let isPermitted = rules.count == sides.count
        return QueryAnswer(isPermitted: isPermitted, rule: isPermitted ? rules.first : nil, hasRules: true)
    }
}
