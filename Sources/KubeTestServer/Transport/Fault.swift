public import NIOCore

/// What goes wrong with requests, so that clients can be tried.
public struct Fault: Sendable {
    /// What goes wrong.
    public enum Kind: Sendable {
        /// 429 as text/plain, as max-inflight answers.
        case tooManyRequests
        /// 429 as a Status, as a resource whose storage begins.
        case initializing
        /// 503 with `Retry-After: 5`.
        case unavailable
        /// A status with a text/plain body, as a proxy in between answers.
        case plain(code: Int, body: String)
        /// No answer at all; the connection stays.
        case silence
        /// A good answer, late.
        case delay(TimeAmount)
        /// A good answer, so many bytes at a time with a pause between.
        case slow(bytes: Int, every: TimeAmount)
        /// A good answer up to so many bytes of the body; then the connection is closed as by kill -9: no last chunk, no TLS
        /// close_notify.
        case cut(afterBytes: Int)
        /// A good answer up to so many bytes of the body; then a clean end of the answer, in the middle of whatever it is.
        case shorten(afterBytes: Int)
        /// Bytes of the body are replaced, from a place on.
        case corrupt(at: Int, with: [UInt8])
    }

    /// What goes wrong.
    public var kind: Kind
    /// The requests that it is about, by the beginning of path and query.
    public var path: String
    /// Whether it is about watches (true), everything else (false) or both.
    public var watches: Bool?
    /// How many requests it is about; `nil` for all until it is removed.
    public var times: Int?

    /// A fault.
    public init(_ kind: Kind, path: String = "/", watches: Bool? = nil, times: Int? = nil) {
        self.kind = kind
        self.path = path
        self.watches = watches
        self.times = times
    }

    func concerns(_ uri: String, isWatch: Bool) -> Bool {
        uri.hasPrefix(path) && (watches.map { $0 == isWatch } ?? true) && times != 0
    }
}
