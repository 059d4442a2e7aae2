public import PolicyAPI

/// What a rule asks of the payload. A rule with L7 conditions admits the connection to the proxy only.
public enum L7Match: Hashable, Sendable {
    /// HTTP requests: at least one of the rules must match.
    case http([Located<HTTPRule>])
    /// DNS queries for names at least one selector matches.
    case dns([Located<FQDNSelector>])
    /// TLS with a server name at least one pattern matches.
    case serverNames([Located<String>])
}
