import PolicyAPI
import PolicyIR

extension L7Matcher.Element {
    /// The conditions that keep a request from matching; empty when it matches.
    func failedConditions(for request: L7Request) -> [FailedCondition] {
        switch (condition, request) {
        case (.http(let matcher), .http(let request)):
            return matcher.failedConditions(for: request)
        case (.dns(let pattern, let selector), .dns(let name)):
            return pattern.matches(name) ? [] : [selector.failure(.queryName, of: "the name", name)]
        case (.serverName(_, let pattern), .serverName(let name)):
            if actions(on: request) != nil { return [] }
            guard name.isEmpty else {
                return [FQDNSelector.pattern(pattern).failure(.serverName, of: "the server name", name)]
            }
            return [FailedCondition(.serverName, wanted: [pattern], text: "the ClientHello has no server name")]
        case (.http, _), (.dns, _), (.serverName, _):
            return [
                FailedCondition(
                    .requestKind, wanted: [condition.subject], has: request.subject,
                    text: "the rule matches \(condition.subject), not \(request.subject)")
            ]
        }
    }
}

extension L7Matcher.Element.Condition {
    /// What rules of this kind match.
    fileprivate var subject: String {
        switch self {
        case .http: "HTTP requests"
        case .dns: "DNS queries"
        case .serverName: "TLS server names"
        }
    }

    /// Whether rules of this kind match requests of that kind.
    func isAbout(_ request: L7Request) -> Bool { subject == request.subject }
}

extension L7Request {
    fileprivate var subject: String {
        switch self {
        case .http: "HTTP requests"
        case .dns: "DNS queries"
        case .serverName: "TLS server names"
        }
    }
}

extension HTTPMatcher {
    fileprivate func failedConditions(for request: HTTPRequest) -> [FailedCondition] {
        // "The path is compared including the query string", which is easily overlooked.
        let bare = String(request.path.prefix { $0 != "?" })
        let hint = bare != request.path && path.accepts(bare) ? " (the path includes the query string)" : ""
        let fields = [
            method.failure(.method, request.method, "method \(shortened(request.method))"),
            path.failure(.path, request.path, "path \(quoted(request.path))", hint: hint),
            host.failure(
                .host, request.host, "host \(quoted(request.host))",
                hint: request.host.isEmpty ? " (the request has none)" : ""),
        ]
        // The proxy asks about the other form of a path too, where it has one.
        let otherPath = request.inOtherForm.flatMap { other in
            fields[1] != nil ? nil : path.failure(.path, other.path, "path, which is also \(quoted(other.path)),")
        }
        let denying = headers.filter { $0.action == nil || $0.isUnknown }
        return (fields + [otherPath]).compactMap(\.self) + denying.compactMap { $0.failure(of: request) }
    }
}

extension HTTPMatcher.Field {
    /// The failure of a value, `nil` if it matches.
    fileprivate func failure(
        _ kind: FailedCondition.Kind, _ value: String, _ what: String, hint: String = ""
    ) -> FailedCondition? {
        if accepts(value) { return nil }
        switch self {
        case .anything: return nil
        case .pattern(let pattern):
            let isPlain = !pattern.text.utf8.contains { "\\^$.|?*+()[]{}".utf8.contains($0) }
            return FailedCondition(
                kind, wanted: [pattern.text], has: value.isEmpty ? nil : value,
                text: "\(what) \(isPlain ? "is not" : "does not match") \(quoted(pattern.text))\(hint)")
        case .nothing(let text):
            return FailedCondition(
                .unsatisfiable, wanted: [text],
                text: "\(what) cannot match \(quoted(text)), which is not a valid pattern")
        }
    }
}

extension HeaderCondition {
    fileprivate func failure(of request: HTTPRequest) -> FailedCondition? {
        if accepts(request) { return nil }
        let wanted = value.map { [$0] } ?? []
        if isUnknown {
            return FailedCondition(
                .secret, key: name,
                text: "the value of header \(shortened(name)) is in a secret, and secrets are not read")
        }
        if let other = request.disguise(of: name) {
            return FailedCondition(
                .header, key: name, wanted: wanted,
                text:
                    "header \(shortened(other)) is read as \(shortened(name)) by gateways, so its server may see that one"
            )
        }
        if let actual = request.value(ofHeader: name), let value {
            return FailedCondition(
                .header, key: name, wanted: wanted, has: actual,
                text: "header \(shortened(name)) is \(quoted(actual)), not \(quoted(value))")
        }
        // "X-Key:v" matches a header with a colon in its name.
        let hint = name.contains(":") ? " (no header has a colon in its name; write \"Name: value\")" : ""
        return FailedCondition(
            .header, key: name, wanted: wanted, text: "header \(shortened(name)) is missing\(hint)")
    }
}

extension FQDNSelector {
    /// The failure of a name that does not match.
    fileprivate func failure(_ kind: FailedCondition.Kind, of what: String, _ name: String) -> FailedCondition {
        let isNot = text.contains("*") ? "does not match" : "is not"
        return FailedCondition(
            kind, wanted: [text], has: name, text: "\(what) \(quoted(name)) \(isNot) \(quoted(text))")
    }
}

private func shortened(_ text: String) -> String { DocumentNode.shortened(text) }

private func quoted(_ text: String) -> String { "\"\(shortened(text))\"" }
