/// An HTTP request as far as policies see it.
public struct HTTPRequest: Hashable, Sendable {
    /// The method.
    public var method: String
    /// The path with query.
    public var path: String
    /// The authority, with port if the client sends it.
    public var host: String
    /// Header fields by name, as written.
    public var headers: [String: String]

    /// A request.
    public init(method: String = "GET", path: String = "/", host: String = "", headers: [String: String] = [:]) {
        self.method = method
        self.path = path
        self.host = host
        self.headers = headers
    }
}
