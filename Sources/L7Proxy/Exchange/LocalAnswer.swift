internal import HTTPScan
internal import NIOCore

/// Answers that the proxy gives itself.
enum LocalAnswer {
    /// No rule allows the request: "403, body `Access denied` followed by CRLF" (docs/spec/cilium-network-policy.md 10.2).
    case denied
    /// The bytes are not understood.
    case refused(Refusal)
    /// A head, or the whole of an idle request, took too long.
    case timeout
    /// The server's response is not understood, or cut off before it began.
    case badResponse
    /// The server cannot be reached.
    case noServer

    /// The status.
    var status: Int {
        switch self {
        case .denied: 403
        case .refused: 400
        case .timeout: 408
        case .badResponse: 502
        case .noServer: 503
        }
    }

    /// The words, which are the body's line.
    var text: String {
        switch self {
        case .denied: "Access denied"
        case .refused(let refusal): "Refused: \(refusal.rawValue)"
        case .timeout: "Timeout"
        case .badResponse: "Bad response"
        case .noServer: "No connection"
        }
    }

    private static let deniedAndKept = ByteBuffer(bytes: LocalAnswer.denied.bytes(closes: false, toHEAD: false))

    /// The whole response. `closes`: the connection ends behind it. An answer to HEAD has no body.
    func message(closes: Bool, toHEAD: Bool) -> ByteBuffer {
        // The usual one is made once.
        if case .denied = self, !closes, !toHEAD { return LocalAnswer.deniedAndKept }
        return ByteBuffer(bytes: bytes(closes: closes, toHEAD: toHEAD))
    }

    private func bytes(closes: Bool, toHEAD: Bool) -> [UInt8] {
        let reason =
            switch self {
            case .denied: "Forbidden"
            case .refused: "Bad Request"
            case .timeout: "Request Timeout"
            case .badResponse: "Bad Gateway"
            case .noServer: "Service Unavailable"
            }
        let body = "\(text)\r\n"
        let close = closes ? "connection: close\r\n" : ""
        let head =
            "HTTP/1.1 \(status) \(reason)\r\ncontent-length: \(body.utf8.count)\r\ncontent-type: text/plain\r\n\(close)\r\n"
        return Array((toHEAD ? head : head + body).utf8)
    }
}
