public import PolicyAPI

/// The L7 rules that a flow meets at one end, compiled: made once, asked for every request of every such flow. They are a union, as
/// `SideDecision.Verdict.l7` says.
public struct L7Matcher: Sendable {
    /// One element of `rules.http`, `rules.dns` or `serverNames`.
    package struct Element: Sendable {
        package enum Condition: Sendable {
            case http(HTTPMatcher)
            case dns(NamePattern, FQDNSelector)
            case serverName(NamePattern, String)
        }

        package let condition: Condition
        /// Where the element itself is written.
        package let origin: RuleOrigin
        /// The number of the rule that it is part of, and where that is written.
        package let rule: Int
        package let ruleOrigin: RuleOrigin
    }

    package let elements: [Element]
    /// Whether a rule changes or logs headers: then every rule is asked.
    private let hasActions: Bool

    /// The union of rules, each with where it is written and its number.
    public init(_ rules: [(number: Int, match: L7Match, origin: RuleOrigin)]) {
        elements = rules.flatMap { rule in
            func element<Value>(_ written: Located<Value>, _ condition: Element.Condition) -> Element {
                var origin = rule.origin
                if !written.path.isEmpty { origin.path = written.path }
                origin.location = written.location ?? origin.location
                return Element(condition: condition, origin: origin, rule: rule.number, ruleOrigin: rule.origin)
            }
            return switch rule.match {
            case .http(let list): list.map { element($0, .http(HTTPMatcher($0.value))) }
            case .dns(let list): list.map { element($0, .dns(NamePattern($0.value, for: .queries), $0.value)) }
            case .serverNames(let list):
                list.map { element($0, .serverName(NamePattern(.pattern($0.value)), $0.value)) }
            }
        }
        hasActions = elements.contains {
            if case .http(let matcher) = $0.condition { matcher.hasActions } else { false }
        }
    }

    /// The rules that a decision leaves to L7; `nil` when it leaves nothing.
    public init?(_ decision: SideDecision) {
        guard case .l7(let matches) = decision.verdict, case .l7Rules(let numbers, let origins) = decision.reason else {
            return nil
        }
        self.init(zip(numbers, zip(matches, origins)).map { ($0, $1.0, $1.1) })
    }

    /// Whether a request passes. "Rules of a list are ORed"; a request of a kind that no rule speaks about is denied.
    public func decide(_ request: L7Request) -> L7Answer {
        var origins: [RuleOrigin] = []
        var actions: [HeaderAction] = []
        for element in elements {
            guard let more = element.actions(on: request) else { continue }
            origins.append(element.origin)
            for action in more where !actions.contains(action) { actions.append(action) }
            // "If any rule has a header side effect, all rules applicable to the request are evaluated."
            if !hasActions { break }
        }
        return origins.isEmpty ? .denied : .permitted(by: origins, actions: actions)
    }
}

extension L7Matcher.Element {
    /// What is done with a request that the element matches; `nil` when it does not match.
    package func actions(on request: L7Request) -> [HeaderAction]? {
        switch (condition, request) {
        case (.http(let matcher), .http(let request)): matcher.actions(on: request)
        case (.dns(let pattern, _), .dns(let name)): pattern.matches(name) ? [] : nil
        // "The ClientHello SNI must match one pattern": none matches no name.
        case (.serverName(let pattern, _), .serverName(let name)): !name.isEmpty && pattern.matches(name) ? [] : nil
        // A request of another kind.
        case (.http, _), (.dns, _), (.serverName, _): nil
        }
    }
}
