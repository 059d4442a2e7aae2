public import HTTPScan

/// What the scanner makes of a stream of bytes, step by step.
public enum ScanEvent: Hashable, Sendable, CustomStringConvertible {
    /// A complete message.
    case message(ScannedMessage)
    /// The preface of HTTP/2.
    case http2
    /// Refused, and the stream ends.
    case refused(Refusal)
    /// A head was accepted, and its body was refused.
    case refusedInBody(ScannedMessage, Refusal)
    /// The bytes end inside a head.
    case moreHead
    /// The bytes end inside the body of this message.
    case moreBody(ScannedMessage)

    /// As the corpus writes it.
    public var description: String {
        switch self {
        case .message(let message): "\(message)"
        case .http2: "http2"
        case .refused(let refusal): "refused \(refusal.rawValue)"
        case .refusedInBody(let message, let refusal): "\(message.start) refused \(refusal.rawValue)"
        case .moreHead: "more"
        case .moreBody(let message): "\(message.start) more"
        }
    }
}

/// A message that the scanner accepts.
public struct ScannedMessage: Hashable, Sendable, CustomStringConvertible {
    /// `GET /path host=a`, or the status.
    public var start: String
    /// What else the head says, each in a word.
    public var remarks: [String] = []
    /// A request's method, as a place in its own bytes.
    public var method = 0..<0
    /// A request's target.
    public var target = ""
    /// The number after `HTTP/1.`.
    public var minorVersion = 1
    /// Whether it ends with its connection.
    public var endsWithConnection = false
    /// The offset of its first byte.
    public var from = 0
    /// The offset of its body.
    public var body = 0
    /// The offset behind it.
    public var end = 0
    /// Whether it is the last of its connection.
    public var isLast = false

    /// As the corpus writes it.
    public var description: String {
        ([start] + (end > body ? ["body=\(end - body)"] : []) + remarks).joined(separator: " ")
    }
}
