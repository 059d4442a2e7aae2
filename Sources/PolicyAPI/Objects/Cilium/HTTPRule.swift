/// One element of `rules.http`: all given fields must match.
public struct HTTPRule: Hashable, Sendable {
    /// RE2 pattern for the whole method, empty for any.
    public var method: String
    /// RE2 pattern for the whole path with query, empty for any.
    public var path: String
    /// RE2 pattern for the whole `:authority`, empty for any.
    public var host: String
    /// `headers`, as written.
    public var headers: [String]
    /// `headerMatches`.
    public var headerMatches: [HeaderMatch]

    /// An HTTP rule.
    public init(
        method: String = "", path: String = "", host: String = "", headers: [String] = [],
        headerMatches: [HeaderMatch] = []
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.headers = headers
        self.headerMatches = headerMatches
    }

    /// The name and the value of an entry of `headers`. "Split at the first space. Two parts: name = first part with trailing colons
    /// removed; value = everything after that one space, compared exactly. One part: presence test of that literal name."
    package static func splitHeader(_ text: String) -> (name: String, value: String?) {
        guard let space = text.firstIndex(of: " ") else { return (text, nil) }
        var name = text[..<space]
        while name.hasSuffix(":") { name.removeLast() }
        return (String(name), String(text[text.index(after: space)...]))
    }
}

/// One element of `headerMatches`.
public struct HeaderMatch: Hashable, Sendable {
    /// Header name.
    public var name: String
    /// Expected value; `nil` when absent.
    public var value: String?
    /// `LOG`, `ADD`, `DELETE`, `REPLACE` or empty.
    public var mismatch: String
    /// `secret` as `namespace/name`, or `nil`.
    public var secret: String?

    /// A header match.
    public init(name: String, value: String? = nil, mismatch: String = "", secret: String? = nil) {
        self.name = name
        self.value = value
        self.mismatch = mismatch
        self.secret = secret
    }
}
