/// One HTTP request, whole.
struct APIRequest: Sendable {
    var method: String
    /// The path and query as sent.
    var uri: String
    /// Header names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    /// The subject of the client's certificate; `nil` without one.
    var certificate: ClientCertificate?

    /// Who a client is by its certificate.
    enum ClientCertificate: Sendable {
        case user(String)
        /// Of a CA that is not the server's.
        case unknown
    }

    var path: String { String(uri.prefix { $0 != "?" }) }

    var query: [String: String] {
        var result: [String: String] = [:]
        for pair in uri.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            result[parts[0].removingPercents] = parts.count > 1 ? parts[1].removingPercents : ""
        }
        return result
    }
}
