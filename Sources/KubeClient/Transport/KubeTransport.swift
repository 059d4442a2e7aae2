public import NIOCore

/// Carries requests to an API server.
public protocol KubeTransport: Sendable {
    /// Sends a request, and gives `read` the answer as soon as its head is there. When `read` returns or throws, the answer is
    /// over, wherever it stands.
    ///
    /// - Throws: what `read` throws, and `RequestFailure`: no connection, no credentials. Never for an answer, whatever its
    ///   status.
    func send<Result: Sendable>(
        _ request: KubeRequest, _ read: @Sendable (KubeResponse) async throws(RequestFailure) -> Result
    ) async throws(RequestFailure) -> Result
    /// The credentials were refused.
    func reloadCredentials() async
    /// Connections do not answer: further requests get others.
    func renewConnections() async
}

/// A request to an API server.
public struct KubeRequest: Hashable, Sendable {
    /// `GET` or another method.
    public var method = "GET"
    /// Path, with its query, from the API server's root: begins with a slash.
    public var target: String
    /// What is accepted.
    public var accept = "application/json"
    /// Whether the answer may be compressed. Not for watches.
    public var acceptsGzip = true
    /// Type of the body; `nil` without one.
    public var contentType: String?
    /// The body.
    public var body: [UInt8] = []

    /// A GET.
    public init(_ target: String) {
        self.target = target
    }
}

/// An answer, whose body comes bit by bit.
public struct KubeResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// `Retry-After`, seconds.
    public var retryAfter: Int?
    /// The body.
    public var body: Body

    /// An answer.
    public init(status: Int, retryAfter: Int? = nil, body: Body) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }

    /// The bytes of an answer, as they come. To be read once.
    public struct Body: Sendable {
        private let make: @Sendable () -> Reader

        /// A body that `make` gives a reader for.
        public init(_ make: @escaping @Sendable () -> Reader) {
            self.make = make
        }

        /// Reads from the beginning.
        public func reader() -> Reader { make() }
    }

    /// Reads a body.
    public struct Reader {
        private var read: () async throws(RequestFailure) -> ByteBuffer?

        /// A reader; `read` gives the next bytes, `nil` at an end in order.
        public init(_ read: @escaping () async throws(RequestFailure) -> ByteBuffer?) {
            self.read = read
        }

        /// The next bytes; `nil` at an end in order.
        ///
        /// - Throws: `RequestFailure.connection` when the connection breaks before the end.
        public mutating func next() async throws(RequestFailure) -> ByteBuffer? { try await read() }
    }
}
