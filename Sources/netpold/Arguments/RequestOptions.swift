import ArgumentParser
import NetTypes
import PolicyAnalysis
import PolicyIR

/// The request that `netpold explain` decides in a flow.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("An HTTP request: method and path with query, \"GET /cart?id=1\".", valueName: "request"))
    var http: String?

    @Option(help: ArgumentHelp("Its host, with port if the client sends it.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("A header of it, \"Name: value\". May be repeated.", valueName: "header"))
    var header: [String] = []

    @Option(help: ArgumentHelp("A DNS query for this name.", valueName: "name"))
    var dns: String?

    @Option(help: ArgumentHelp("A TLS connection to this server name; \"\" for none.", valueName: "name"))
    var sni: String?

    /// The request, in a flow of this protocol; `nil` when none is written.
    ///
    /// - Throws: `FlowText.Mistake` when the protocol cannot carry it.
    func request(over protocol: L4Protocol) throws -> L7Request? {
        guard let request = try request() else { return nil }
        try FlowText.check(request, over: `protocol`)
        return request
    }

    /// The request; `nil` when none is written.
    func request() throws -> L7Request? {
        guard [http, dns, sni].count(where: { $0 != nil }) <= 1 else {
            throw ValidationError("--http, --dns and --sni exclude each other: explain one request at a time")
        }
        if http == nil, host != nil || !header.isEmpty {
            throw ValidationError("--host and --header belong to --http \"METHOD /path\"")
        }
        if let dns {
            if dns.contains("=") {
                throw ValidationError("--dns is a query; write --name \(dns) for an answer that DNS has given")
            }
            guard !dns.isEmpty, dns.utf8.count <= 255, dns.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw ValidationError("--dns '\(dns)': write a DNS name, --dns www.example.com")
            }
            return .dns(dns)
        }
        if let sni { return .serverName(sni) }
        return try http.map { .http(try httpRequest($0)) }
    }

    private func httpRequest(_ line: String) throws -> HTTPRequest {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].hasPrefix("/") || parts[1] == "*" else {
            throw ValidationError("'\(line)' is not a request; write a method and a path: --http 'GET /cart?id=1'")
        }
        let headers = try header.map { text in
            let fields = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard fields.count == 2, !fields[0].isEmpty else {
                throw ValidationError("'\(text)' is not a header; write --header 'Name: value'")
            }
            return HTTPRequest.Header(String(fields[0]), String(fields[1].drop { $0 == " " }))
        }
        return HTTPRequest(method: parts[0], path: parts[1], host: host ?? "", headers: headers)
    }
}
