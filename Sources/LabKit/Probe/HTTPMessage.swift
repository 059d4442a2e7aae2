package import PolicyIR

/// The HTTP/1.1 messages of a lab.
package enum HTTPMessage {
    /// Stands in the Host header of a request that names no host: HTTP/1.1 requires one.
    private static let anyHost = "host.invalid"

    /// A request without a body; the connection is to be closed after its answer.
    package static func request(_ request: HTTPRequest) -> [UInt8] {
        var text =
            "\(request.method) \(request.path) HTTP/1.1\r\nHost: \(request.host.isEmpty ? anyHost : request.host)\r\n"
        for header in request.headers { text += "\(header.name): \(header.value)\r\n" }
        if request.method != "GET", request.method != "HEAD" { text += "Content-Length: 0\r\n" }
        return Array((text + "Connection: close\r\n\r\n").utf8)
    }

    /// The header that repeats the body: the answer to HEAD has none.
    private static let bodyHeader = "netpold-body: "

    /// An answer with this body, a line of text.
    static func answer(_ body: [UInt8]) -> [UInt8] {
        let line = String(decoding: body.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let head =
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\(bodyHeader)\(line)\r\n"
            + "Connection: close\r\n\r\n"
        return Array(head.utf8) + body
    }

    /// Whether a request's head has arrived as a whole.
    static func isComplete(_ bytes: [UInt8]) -> Bool { bytes.suffix(4) == [13, 10, 13, 10] }

    /// The status code and the body of an answer; `nil` while it is not complete.
    static func parse(_ bytes: [UInt8], isClosed: Bool) -> (status: Int, body: String)? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 ") || text.hasPrefix("HTTP/1.0 "), let status = Int(text.dropFirst(9).prefix(3)),
            let end = text.firstRange(of: "\r\n\r\n")
        else { return nil }
        var body = String(text[end.upperBound...])
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let length = lines.lazy.compactMap { line -> Int? in
            guard line.lowercased().hasPrefix("content-length:") else { return nil }
            return Int(line.dropFirst(15).drop { $0 == " " })
        }.first
        guard isClosed || body.utf8.count >= (length ?? .max) else { return nil }
        if body.isEmpty, let repeated = lines.first(where: { $0.lowercased().hasPrefix(bodyHeader) }) {
            body = "\(repeated.dropFirst(bodyHeader.count))\n"
        }
        return (status, body)
    }
}
