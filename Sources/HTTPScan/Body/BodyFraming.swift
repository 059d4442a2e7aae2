/// How the end of a message's body is found (RFC 9112 6.3).
public enum BodyFraming: Hashable, Sendable {
    /// The message ends with its head.
    case none
    /// This many bytes follow, at least one.
    case length(UInt64)
    /// Chunks and a trailer section follow.
    case chunked
    /// A response that ends with its connection.
    case untilClose
}
