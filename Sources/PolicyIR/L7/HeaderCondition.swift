package import PolicyAPI

/// What one entry of `headers` or `headerMatches` asks of a request.
package struct HeaderCondition: Hashable, Sendable {
    /// The header's name.
    package let name: String
    /// The value it must have; `nil` asks for its presence only.
    package let value: String?
    /// What is done in place of not matching; `nil` means that the rule does not match.
    package let action: HeaderAction.Kind?
    /// Whether the value is in a secret that cannot be had: then the rule matches nothing.
    package let isUnknown: Bool

    /// An entry of `headers` (`HTTPRule.splitHeader`).
    package init(header text: String) {
        (name, value) = HTTPRule.splitHeader(text)
        action = nil
        isUnknown = false
    }

    /// An entry of `headerMatches`. Secrets are not read: "`value` is used as fallback when the secret gives nothing; secret
    /// unavailable and no fallback: the rule can never match".
    package init(_ match: HeaderMatch) {
        name = match.name
        action = HeaderAction.Kind(rawValue: match.mismatch)
        // "LOG/ADD/DELETE/REPLACE with neither value nor secret: compared to the empty value".
        value = match.value ?? (action == nil ? nil : "")
        isUnknown = match.secret != nil && match.value == nil
    }

    /// Whether a request is as the condition asks, actions left aside.
    package func accepts(_ request: HTTPRequest) -> Bool {
        guard !isUnknown, let actual = request.value(ofHeader: name) else { return false }
        return value == nil || actual == value
    }
}
