/// What a request shows, and by what its connection is secured.
struct RequestCredentials: Hashable, Sendable {
    /// The value of `Authorization`; `nil` for none. Never printed.
    var authorization: String?
    /// What decides which connection may carry the request.
    var material: ConnectionMaterial
}

/// PEM texts of a TLS connection. A change of one needs new connections.
struct ConnectionMaterial: Hashable, Sendable {
    /// The authorities that may sign the server's certificate; `nil` for those of the system.
    var authorities: [UInt8]?
    /// The client's certificate and those above it.
    var certificate: [UInt8]?
    /// Its private key.
    var key: [UInt8]?
}
