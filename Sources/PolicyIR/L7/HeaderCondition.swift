/// What one entry of `headers` or `headerMatches` asks of a request.
struct HeaderCondition: Hashable, Sendable {
    /// The header's name.
    let name: String
    /// The value it must have; `nil` asks for its presence only.
    let value: String?
    /// What is done in place of not matching; `nil` means that the rule does not match.
    let action: HeaderAction.Kind?
    /// Whether the value is in a secret that cannot be had: then the rule matches nothing.
    let isUnknown: Bool

    /// An entry of `headers`. "Split at the first space. Two parts: name = first part with trailing colons removed; value = everything
    /// after that one space, compared exactly. One part: presence test of that literal name."
    init(header text: String) {
        if let space = text.firstIndex(of: " ") {
            var name = text[..<space]
            while name.hasSuffix(":") { name.removeLast() }
            self.name = String(name)
            value = String(text[text.index(after: space)...])
        } else {
            name = text
            value = nil
        }
        action = nil
        isUnknown = false
    }

    /// An entry of `headerMatches`. Secrets are not read: "`value` is used as fallback when the secret gives nothing; secret
    /// unavailable and no fallback: the rule can never match".
    init(_ match: HeaderMatch) {
        name = match.name
        action = HeaderAction.Kind(rawValue: match.mismatch)
        // "LOG/ADD/DELETE/REPLACE with neither value nor secret: compared to the empty value".
        value = match.value ?? (action == nil ? nil : "")
        isUnknown = match.secret != nil && match.value == nil
    }

    /// Whether a request is as the condition asks, actions left aside.
    func accepts(_ request: HTTPRequest) -> Bool {
        guard !isUnknown, let actual = request.value(ofHeader: name) else { return false }
        return value == nil || actual == value
    }
}
