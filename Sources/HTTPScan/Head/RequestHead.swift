/// A request's head, as places in the bytes that were scanned.
public struct RequestHead: Hashable, Sendable {
    /// Methods that framing depends on, and the usual ones.
    public enum Method: Hashable, Sendable {
        case get, head, post, put, delete, options, patch, trace, other
    }

    /// To what the client offers to switch the connection.
    public enum Upgrade: Hashable, Sendable {
        case none, webSocket
        /// HTTP/2 (`h2c`). Servers may ignore the offer, and must never see it: what follows 101 would be requests that nobody decides.
        case http2
    }

    /// The number after `HTTP/1.`: 0 or 1.
    public internal(set) var minorVersion = 1
    /// The method's bytes.
    public internal(set) var method = 0..<0
    /// The method, if it is a usual one.
    public internal(set) var knownMethod = Method.other
    /// The request target as sent.
    public internal(set) var target = 0..<0
    /// The path with query: the target, or its part behind the authority; `*` alone for `OPTIONS *`.
    public internal(set) var path = 0..<0
    /// Whether the path can be written otherwise without a difference to most servers: it has an escape of a character that needs
    /// none or of a separator, or an empty segment. Rules are then asked about both (`NormalPath`).
    public internal(set) var pathHasOtherForms = false
    /// The value of Host; empty when an HTTP/1.0 request has none.
    public internal(set) var host = 0..<0
    /// The field lines, without the empty line.
    public internal(set) var fields = 0..<0
    /// How many fields there are.
    public internal(set) var fieldCount = 0
    /// The bytes of the head, with the empty line.
    public internal(set) var count = 0
    /// How the body ends.
    public internal(set) var framing = BodyFraming.none
    /// Whether the client keeps the connection for another request.
    public internal(set) var keepsConnection = true
    /// Whether the client waits for `100 Continue` before it sends the body.
    public internal(set) var expectsContinue = false
    /// An offer to switch protocols.
    public internal(set) var upgrade = Upgrade.none
}
