import HTTPScan
import PolicyIR

@testable import ProxyRules

/// Requests as bytes, for rules.
struct RequestBytes {
    let bytes: [UInt8]
    let head: RequestHead

    init(_ text: String) throws {
        let bytes = Array(text.utf8)
        var scanner = RequestHeadScanner()
        guard case .head(let head) = try scanner.scan(bytes.span) else { throw Incomplete() }
        (self.bytes, self.head) = (bytes, head)
    }

    /// The head of a request as policies see it.
    init(_ request: HTTPRequest) throws {
        let lines = request.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        try self.init("\(request.method) \(request.path) HTTP/1.1\r\nHost: \(request.host)\r\n\(lines)\r\n")
    }

    struct Incomplete: Error {}

    func decide(_ side: CompiledSide) -> SideAnswer { side.decide(bytes.span, head) }

    func decide(_ rules: FlowRules) -> FlowRules.Answer { rules.decide(bytes.span, head, limits: ScanLimits()) }
}
