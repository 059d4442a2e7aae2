/// How to reach an API server, and as whom: what a kubeconfig's context or a service account comes to.
public struct ClusterAccess: Hashable, Sendable {
    /// Bytes that are given, or in a file that is read anew for each new connection.
    public enum Material: Hashable, Sendable {
        /// The bytes.
        case data([UInt8])
        /// The file's path.
        case file(String)
    }

    /// As whom.
    public enum Credentials: Hashable, Sendable {
        /// Nobody.
        case anonymous
        /// A bearer token.
        case token(String)
        /// A file with a bearer token, read for every request: it is replaced from time to time.
        case tokenFile(String)
        /// A user name with a password.
        case password(user: String, password: String)
        /// A program that prints them.
        case exec(ExecPlugin)
    }

    /// A client certificate with its key, PEM.
    public struct ClientCertificate: Hashable, Sendable {
        /// The certificate, and those above it.
        public var certificate: Material
        /// Its private key.
        public var key: Material
    }

    /// An HTTP or SOCKS proxy.
    public struct Proxy: Hashable, Sendable {
        /// Whether it speaks SOCKS5.
        public var isSOCKS: Bool
        /// Its host name or address.
        public var host: String
        /// Its port.
        public var port: Int
        /// User name and password, if it wants them.
        public var credentials: (String, String)? { user.map { ($0, password ?? "") } }
        var user: String?
        var password: String?
    }

    /// Where this was found, for messages: `context dev of /root/.kube/config`.
    public var origin: String
    /// The server's URL: https, host, port, and a path that precedes all others (without a slash at its end).
    public var server: ServerURL
    /// The authorities that sign the server's certificate, PEM; `nil` for those of the system.
    public var authorities: Material?
    /// The name in the server's certificate, where it is another than the URL's.
    public var serverName: String?
    /// The name that the server's certificate has to have.
    var certifiedName: String { serverName ?? server.host }
    /// The proxy in between.
    public var proxy: Proxy?
    /// As whom.
    public var credentials: Credentials
    /// The certificate to show.
    public var clientCertificate: ClientCertificate?
}
