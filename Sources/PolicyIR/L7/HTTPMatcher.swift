package import PolicyAPI

/// One element of `rules.http` with its patterns compiled.
package struct HTTPMatcher: Sendable {
    /// The pattern of a field, if it is set and can be compiled.
    package enum Field: Sendable {
        /// "Absent or empty: no constraint."
        case anything
        /// The whole value must match.
        case pattern(RegexPattern)
        /// Not a valid pattern, so nothing matches. Decoding refuses such a policy; a rule made in code fails closed.
        case nothing(String)

        init(_ text: String) {
            if text.isEmpty {
                self = .anything
            } else if let pattern = try? RegexPattern(text) {
                self = .pattern(pattern)
            } else {
                self = .nothing(text)
            }
        }

        package func accepts(_ value: String) -> Bool {
            switch self {
            case .anything: true
            case .pattern(let pattern): pattern.matches(value)
            case .nothing: false
            }
        }
    }

    package let method: Field
    package let path: Field
    package let host: Field
    package let headers: [HeaderCondition]

    /// Whether the rule may change or log a matching request.
    package var hasActions: Bool { headers.contains { $0.action != nil } }

    package init(_ rule: HTTPRule) {
        method = Field(rule.method)
        path = Field(rule.path)
        host = Field(rule.host)
        headers = rule.headers.map(HeaderCondition.init(header:)) + rule.headerMatches.map(HeaderCondition.init)
    }

    /// The header actions of a matching request; `nil` when it does not match. "Within a rule every given field must match."
    package func actions(on request: HTTPRequest) -> [HeaderAction]? {
        guard method.accepts(request.method), path.accepts(request.path), host.accepts(request.host) else { return nil }
        var actions: [HeaderAction] = []
        for header in headers where !header.accepts(request) {
            // "For all four the request is not denied because of this header."
            guard let kind = header.action, !header.isUnknown else { return nil }
            let action = HeaderAction(kind, name: header.name, value: header.value ?? "")
            // Nothing can be removed from a request that has no such header.
            if kind == .delete, !request.hasField(readAs: header.name) { continue }
            actions.append(action)
        }
        return actions
    }
}
