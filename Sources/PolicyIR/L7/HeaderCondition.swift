package import PolicyAPI

/// The condition of one entry of `headers` or `headerMatches`.
package struct HeaderCondition: Hashable, Sendable {
    /// The header's name.
    package let name: String
    /// The required value; `nil` requires only its presence.
    package let value: String?
    /// The action on a mismatch; `nil` means that the rule does not match.
    package let action: HeaderAction.Kind?
    /// Whether the value is in a secret, which is not read: then the rule matches nothing.
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

    /// Whether a request meets the condition, regardless of actions. None does that has a field which gateways read as this one: its server
    /// may see that value.
    package func accepts(_ request: HTTPRequest) -> Bool {
        guard !isUnknown, request.disguise(of: name) == nil, let actual = request.value(ofHeader: name) else {
            return false
        }
        return value == nil || actual == value
    }
}
