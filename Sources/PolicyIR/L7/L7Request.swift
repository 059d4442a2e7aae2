/// A request over a connection, as L7 rules see it.
public enum L7Request: Hashable, Sendable {
    /// An HTTP request.
    case http(HTTPRequest)
    /// A DNS query for this name.
    case dns(String)
    /// A TLS handshake: the server name of the ClientHello, empty without one.
    case serverName(String)
}

extension L7Request: CustomStringConvertible {
    /// `GET /cart of shop.example.com`, `DNS query for api.example.com`, `TLS to api.example.com`.
    public var description: String {
        switch self {
        case .http(let request): "\(request)"
        case .dns(let name): "DNS query for \(name)"
        case .serverName(let name): name.isEmpty ? "TLS without a server name" : "TLS to \(name)"
        }
    }
}
