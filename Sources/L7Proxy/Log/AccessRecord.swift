internal import HTTPScan
internal import PolicyIR
internal import ProxyRules

/// What the access log says of one request. Values of the query, and headers, are never in it.
struct AccessRecord {
    var method = ""
    var path = ""
    var host = ""
    /// `allowed`, `denied`, `refused`, `error`.
    var decision = ""
    /// The rule that decided or came nearest.
    var rule: String?
    /// What the request fails of it, or the refusal's name.
    var reason: String?
    /// Mismatches and changes of headers: names alone.
    var actions: [String] = []

    /// What can be said of a complete head.
    init(_ bytes: Span<UInt8>, _ head: RequestHead) {
        func text(_ range: Range<Int>) -> String {
            bytes.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        }
        method = text(head.method)
        path = AccessRecord.redacted(bytes, head.path)
        host = text(head.host)
    }

    /// A request whose head was not understood.
    init(refused refusal: Refusal) {
        decision = "refused"
        reason = refusal.rawValue
    }

    /// At most so many bytes of a path are written.
    static let longestPath = 1_024

    /// The path with the names of the query's parameters and without their values.
    static func redacted(_ bytes: Span<UInt8>, _ path: Range<Int>) -> String {
        var result: [UInt8] = []
        var inQuery = false
        var inValue = false
        for index in path.prefix(longestPath) {
            let byte = bytes[index]
            if inQuery, byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") {
                // A part without "=" may be a value itself.
                inValue = false
            } else if inValue {
                continue
            } else if !inQuery, byte == UInt8(ascii: "?") {
                inQuery = true
                if !hasEquals(bytes, index + 1, path.upperBound) {
                    result += Array("?...".utf8)
                    break
                }
            } else if inQuery, byte == UInt8(ascii: "=") {
                inValue = true
                result += Array("=...".utf8)
                continue
            }
            result.append(byte)
        }
        if path.count > longestPath { result += Array("...".utf8) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hasEquals(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> Bool {
        for index in from..<to where bytes[index] == UInt8(ascii: "=") { return true }
        return false
    }

    /// Takes the outcome of the rules.
    mutating func take(_ answer: FlowRules.Answer) {
        decision = answer.isPermitted ? "allowed" : "denied"
        if answer.actionsBreakRequest { reason = "header-action" }
        for side in [answer.egress, answer.ingress] {
            switch side {
            case .permitted(let rule, let done)?:
                if answer.isPermitted || answer.actionsBreakRequest { self.rule = "\(rule.origin)" }
                actions += done.map { "\($0.kind.rawValue) \($0.name)" }
            case .denied(let nearest, let failed)?:
                rule = nearest.map { "\($0.origin)" }
                reason = failed.text
            case nil: break
            }
        }
    }
}
