internal import HTTPScan
internal import PolicyIR
internal import ProxyRules

/// What the access log says of one request, written when it is decided. Values of the query, and of headers, are never in
/// it.
struct AccessRecord {
    /// What became of a request.
    enum Decision: String {
        case allowed, denied
        /// Its bytes are not understood.
        case refused
        /// Allowed, and the server did not answer it.
        case error
    }

    var decision: Decision
    /// The members or words about the request.
    private(set) var bytes: [UInt8]

    /// At most so many bytes of a path are written.
    static let longestPath = 1_024

    /// A request that was decided. `room`: an empty array for its memory.
    init(
        _ format: AccessLog.Format, _ head: Span<UInt8>, _ places: RequestHead, _ answer: FlowRules.Answer,
        room: [UInt8]
    ) {
        bytes = room
        decision = answer.isPermitted ? .allowed : .denied
        let verdict = Verdict(answer)
        switch format {
        case .json:
            LineText.add("method", head.extracting(places.method), to: &bytes)
            LineText.add("host", head.extracting(places.host), to: &bytes)
            bytes += ",\"path\":\"".utf8
            addPath(head, places.path)
            bytes.append(UInt8(ascii: "\""))
            if let rule = verdict.rule { LineText.add("rule", rule.text, to: &bytes) }
            if let reason = verdict.reason { LineText.add("reason", reason, to: &bytes) }
            if !verdict.actions.isEmpty {
                LineText.add("headers", verdict.actions.joined(separator: ", "), to: &bytes)
            }
        case .text:
            addText(head.extracting(places.method))
            bytes.append(UInt8(ascii: " "))
            addText(head.extracting(places.host))
            addPath(head, places.path)
            let near = answer.isPermitted ? "by" : "nearest:"
            if let rule = verdict.rule { addWords("  \(near) \(rule.text)") }
            if let reason = verdict.reason { addWords(answer.isPermitted ? "" : "; it fails \(reason)") }
            if !verdict.actions.isEmpty { addWords("; headers: \(verdict.actions.joined(separator: ", "))") }
        }
    }

    /// A request whose head was not understood.
    init(_ format: AccessLog.Format, refused refusal: Refusal, room: [UInt8]) {
        bytes = room
        decision = .refused
        switch format {
        case .json: LineText.add("reason", refusal.rawValue, to: &bytes)
        case .text: addWords("not exactly HTTP: \(refusal.rawValue)")
        }
    }

    /// A DNS query that was decided.
    init(_ format: AccessLog.Format, query name: String, _ answer: FlowRules.QueryAnswer, room: [UInt8]) {
        bytes = room
        decision = answer.isPermitted ? .allowed : .denied
        let reason = answer.isPermitted ? nil : answer.hasRules ? "name" : "no-rules"
        switch format {
        case .json:
            LineText.add("query", name, to: &bytes)
            if let rule = answer.rule { LineText.add("rule", rule.text, to: &bytes) }
            if let reason { LineText.add("reason", reason, to: &bytes) }
        case .text:
            addWords("DNS query for \(name)")
            if let rule = answer.rule { addWords("  by \(rule.text)") }
            if let reason { addWords("  it fails \(reason)") }
        }
    }

    /// A DNS message that is not exactly a query.
    init(notAQuery format: AccessLog.Format, room: [UInt8]) {
        bytes = room
        decision = .refused
        switch format {
        case .json: LineText.add("reason", "not-a-query", to: &bytes)
        case .text: addWords("not exactly a DNS query")
        }
    }

    /// The record's memory, which it gives up.
    mutating func takeBytes() -> [UInt8] {
        let taken = bytes
        bytes = []
        return taken
    }

    private mutating func addText(_ text: Span<UInt8>) {
        for index in text.indices { LineText.append(text[index], to: &bytes) }
    }

    private mutating func addWords(_ text: String) {
        for byte in text.utf8 { LineText.append(byte, to: &bytes) }
    }

    /// The path with the names of the query's parameters and without their values.
    private mutating func addPath(_ head: Span<UInt8>, _ path: Range<Int>) {
        var inQuery = false
        var inValue = false
        for index in path.prefix(AccessRecord.longestPath) {
            let byte = head[index]
            if inQuery, byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") {
                inValue = false
                // A part without "=" may be a value itself.
                guard AccessRecord.hasName(head, index + 1, path.upperBound) else {
                    bytes += "&...".utf8
                    return
                }
            } else if inValue {
                continue
            } else if !inQuery, byte == UInt8(ascii: "?") {
                inQuery = true
                guard AccessRecord.hasName(head, index + 1, path.upperBound) else {
                    bytes += "?...".utf8
                    return
                }
            } else if inQuery, byte == UInt8(ascii: "=") {
                inValue = true
                bytes += "=...".utf8
                continue
            }
            LineText.append(byte, to: &bytes)
        }
        if path.count > AccessRecord.longestPath { bytes += "...".utf8 }
    }

    /// Whether a name and "=" begin here, before the next part.
    private static func hasName(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> Bool {
        for index in from..<to {
            if bytes[index] == UInt8(ascii: "=") { return true }
            if bytes[index] == UInt8(ascii: "&") || bytes[index] == UInt8(ascii: ";") { return false }
        }
        return false
    }

    /// What the rules say, for the log.
    private struct Verdict {
        /// The rule that decided or came nearest.
        var rule: CompiledRule?
        /// What the request fails of it.
        var reason: String?
        /// Mismatches and changes of headers: names alone.
        var actions: [String] = []

        init(_ answer: FlowRules.Answer) {
            if answer.actionsBreakRequest { reason = "header-action" }
            take(answer.egress, answer)
            take(answer.ingress, answer)
            if rule == nil, reason == nil, !answer.isPermitted { reason = "no-rules" }
        }

        private mutating func take(_ side: SideAnswer?, _ answer: FlowRules.Answer) {
            switch side {
            case .permitted(let rule, let done)?:
                if answer.isPermitted || answer.actionsBreakRequest { self.rule = rule }
                for action in done { actions.append("\(action.kind.rawValue) \(action.name)") }
            case .denied(let nearest, let failed)?:
                rule = nearest
                if nearest != nil { reason = failed.text }
            case nil: break
            }
        }
    }
}
