import PolicyAPI

/// A `Status`: how an API server says why not.
public struct StatusObject: Hashable, Sendable {
    /// The HTTP code that it stands for; 0 when it does not say.
    public var code: Int
    /// The reason in one word, such as `Expired`; empty when it does not say.
    public var reason: String
    /// The reason in a sentence.
    public var message: String
    /// `details.retryAfterSeconds`, in seconds.
    public var retryAfter: Int?

    /// A status.
    public init(code: Int, reason: String = "", message: String = "", retryAfter: Int? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Reads a Status object; `nil` when the bytes are something else, as text/plain answers are.
    public init?(parsing bytes: some Collection<UInt8>) {
        guard let status = DocumentReader.read(Array(bytes), file: "status.json").documents.first,
            status["kind"]?.string == "Status"
        else { return nil }
        self.init(
            code: status["code"]?.integer.flatMap { Int(exactly: $0) } ?? 0, reason: status["reason"]?.string ?? "",
            message: status["message"]?.string ?? "",
            retryAfter: status["details"]?["retryAfterSeconds"]?.integer.flatMap { Int(exactly: $0) })
    }
}
