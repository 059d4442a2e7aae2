public import PolicyAPI

/// The compiled L7 rules of a flow at one end: made once, used for every request of every such flow. The rules are a union
/// (`SideDecision.Verdict.l7`).
public struct L7Matcher: Sendable {
    /// One element of `rules.http`, `rules.dns` or `serverNames`.
    package struct Element: Sendable {
        package enum Condition: Sendable {
            case http(HTTPMatcher)
            case dns(NamePattern, FQDNSelector)
            case serverName(NamePattern, String)
        }

        package let condition: Condition
        /// The origin of the element itself.
        package let origin: RuleOrigin
        /// The number of its rule.
        package let rule: Int
        /// The origin of its rule.
        package let ruleOrigin: RuleOrigin
    }

    package let elements: [Element]
    /// Whether a rule changes or logs headers: then every rule is evaluated.
    private let hasActions: Bool

    /// The union of rules, each with its number and origin.
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

    /// The L7 rules of a decision; `nil` when it has none.
    public init?(_ decision: SideDecision) {
        guard case .l7(let matches) = decision.verdict, case .l7Rules(let numbers, let origins) = decision.reason else {
            return nil
        }
        self.init(zip(numbers, zip(matches, origins)).map { ($0, $1.0, $1.1) })
    }

    /// The names of the header fields that rules ask for or write, folded (`FoldedName`).
    var headerNames: [[UInt8]] {
        elements.flatMap { element -> [[UInt8]] in
            guard case .http(let matcher) = element.condition else { return [] }
            return matcher.headers.map { HTTPRequest.folded($0.name) }
        }
    }

    /// Decides a request. "Rules of a list are ORed"; a request of a kind that no rule matches is denied. A path that can be written
    /// otherwise must be allowed as sent and in its other form, each by some rule.
    public func decide(_ request: L7Request) -> L7Answer {
        let answer = decide(asSent: request)
        guard answer.isPermitted, case .http(let sent) = request, let other = sent.inOtherForm else { return answer }
        return decide(asSent: .http(other)).isPermitted ? answer : .denied
    }

    private func decide(asSent request: L7Request) -> L7Answer {
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
    /// The header actions of a matching request; `nil` when it does not match.
    package func actions(on request: L7Request) -> [HeaderAction]? {
        switch (condition, request) {
        case (.http(let matcher), .http(let request)): matcher.actions(on: request)
        case (.dns(let pattern, _), .dns(let name)): pattern.matches(name) ? [] : nil
        // "The ClientHello SNI must match one pattern": no name matches none.
        case (.serverName(let pattern, _), .serverName(let name)): !name.isEmpty && pattern.matches(name) ? [] : nil
        // A request of another kind.
        case (.http, _), (.dns, _), (.serverName, _): nil
        }
    }
}
