/// Why a request brought nothing, or ended otherwise than in order.
public enum RequestFailure: Error, Hashable, Sendable {
    /// The API server answered with another status than 200.
    case status(Refusal)
    /// There is no connection, or it broke: also in the middle of an answer.
    case connection(String)
    /// The answer is no JSON, or not what was asked for.
    case garbled(String)
    /// The answer has more bytes than are read at once.
    case tooLarge(limit: Int)
    /// There are no credentials to show.
    case credentials(String)

    /// An answer with another status than 200.
    public struct Refusal: Hashable, Sendable {
        /// The HTTP status.
        public var code: Int
        /// What it says, if the body is a Status object.
        public var status: StatusObject?
        /// `Retry-After`, seconds.
        public var retryAfter: Int?
        /// The first line of a body that is no Status object.
        public var text: String

        /// A refusal.
        public init(code: Int, status: StatusObject? = nil, retryAfter: Int? = nil, text: String = "") {
            self.code = code
            self.status = status
            self.retryAfter = retryAfter
            self.text = text
        }

        /// Whether it is how an API server says that it has no such group or resource: text, and no Status object. A
        /// proxy's page that something was not found is another thing.
        public var saysUnknownPath: Bool {
            code == 404 && status == nil && text == "404 page not found"
        }

        /// In words.
        public var message: String {
            let why = status?.message ?? text
            return why.isEmpty ? "HTTP \(code)" : "HTTP \(code): \(why)"
        }
    }

    /// In words.
    public var message: String {
        switch self {
        case .status(let refusal): refusal.message
        case .connection(let why), .garbled(let why), .credentials(let why): why
        case .tooLarge(let limit): "the answer has more than \(limit) bytes"
        }
    }
}
