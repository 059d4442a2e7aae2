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
    /// The members for who is told of requests that are not allowed, where `bytes` are words; `nil` for `bytes`.
    var told: [UInt8]?

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
            LineText.append(plain: "\"method\":\"", to: &bytes)
            LineText.append(head.extracting(places.method), to: &bytes)
            LineText.append(plain: "\",\"host\":\"", to: &bytes)
            LineText.append(head.extracting(places.host), to: &bytes)
            LineText.append(plain: "\",\"path\":\"", to: &bytes)
            addPath(head, places.path)
            bytes.append(UInt8(ascii: "\""))
            if let rule = verdict.rule { LineText.add("rule", rule.text, to: &bytes) }
            if let reason = verdict.reason { LineText.add("reason", reason, to: &bytes) }
            if let direction = verdict.denies { LineText.add("denies", direction, to: &bytes) }
            if !verdict.actions.isEmpty {
                LineText.add("headers", verdict.actions.joined(separator: ", "), to: &bytes)
            }
        case .text:
            LineText.append(head.extracting(places.method), to: &bytes)
            bytes.append(UInt8(ascii: " "))
            LineText.append(head.extracting(places.host), to: &bytes)
            addPath(head, places.path)
            let near = answer.isPermitted ? "by" : "nearest:"
            if let rule = verdict.rule { addWords("  \(near) \(rule.text)") }
            if let reason = verdict.reason { addWords(answer.isPermitted ? "" : "; it fails \(reason)") }
            if !verdict.actions.isEmpty { addWords("; headers: \(verdict.actions.joined(separator: ", "))") }
        }
    }

    /// Bytes that were not understood: what they are not exactly, and why.
    init(_ format: AccessLog.Format, refusedFor reason: String, not what: String, room: [UInt8]) {
        bytes = room
        decision = .refused
        switch format {
        case .json: LineText.add("reason", reason, to: &bytes)
        case .text: addWords("not exactly \(what): \(reason)")
        }
    }

    /// A connection that there was no room for.
    init(_ format: AccessLog.Format, unserved refusal: ConnectionRefusal, room: [UInt8]) {
        bytes = room
        decision = .refused
        switch (format, refusal) {
        case (.json, _): LineText.add("reason", refusal.rawValue, to: &bytes)
        case (.text, .client): addWords("connection closed: its client has all that it may have")
        case (.text, .all): addWords("connection closed: there is no room for more")
        }
    }

    /// What follows the head of this request, which was allowed, is not understood.
    mutating func refuse(_ refusal: Refusal, _ format: AccessLog.Format) {
        decision = .refused
        switch format {
        case .json: LineText.add("reason", refusal.rawValue, to: &bytes)
        case .text: addWords("; not exactly HTTP: \(refusal.rawValue)")
        }
    }

    /// The request was allowed, and its server's answer cannot be forwarded.
    mutating func fail(by reason: String, _ format: AccessLog.Format) {
        decision = .error
        switch format {
        case .json: LineText.add("reason", reason, to: &bytes)
        case .text: addWords("; the server's answer: \(reason)")
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

    /// The record's memory, which it gives up.
    mutating func takeBytes() -> [UInt8] {
        let taken = bytes
        bytes = []
        return taken
    }

    private mutating func addWords(_ text: String) { LineText.append(text, to: &bytes) }

    /// The path with the names of the query's parameters and without their values.
    private mutating func addPath(_ head: Span<UInt8>, _ path: Range<Int>) {
        let shown = path.prefix(AccessRecord.longestPath)
        var query = shown.lowerBound
        while query < shown.upperBound, head[query] != UInt8(ascii: "?") { query += 1 }
        LineText.append(head.extracting(shown.lowerBound..<query), to: &bytes)
        let isWhole =
            query == shown.upperBound || addQuery(head, query..<shown.upperBound, end: path.upperBound)
        if isWhole, path.count > AccessRecord.longestPath { LineText.append(plain: "...", to: &bytes) }
    }

    /// A query with its question mark, of a path that goes on to `end`. `false`: its rest is left out.
    private mutating func addQuery(_ head: Span<UInt8>, _ query: Range<Int>, end: Int) -> Bool {
        var inQuery = false
        var inValue = false
        for index in query {
            let byte = head[index]
            if inQuery, byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") {
                inValue = false
                // A part without "=" may be a value itself.
                guard AccessRecord.hasName(head, index + 1, end) else {
                    LineText.append(plain: "&...", to: &bytes)
                    return false
                }
            } else if inValue {
                continue
            } else if !inQuery, byte == UInt8(ascii: "?") {
                inQuery = true
                guard AccessRecord.hasName(head, index + 1, end) else {
                    LineText.append(plain: "?...", to: &bytes)
                    return false
                }
            } else if inQuery, byte == UInt8(ascii: "=") {
                inValue = true
                LineText.append(plain: "=...", to: &bytes)
                continue
            }
            LineText.append(byte, to: &bytes)
        }
        return true
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
        /// Whose rules deny it: those of the sender's `egress`, or of the receiver's `ingress`.
        var denies: String?
        /// Mismatches and changes of headers: names alone.
        var actions: [String] = []

        init(_ answer: FlowRules.Answer) {
            if answer.actionsBreakRequest { reason = "header-action" }
            if answer.namesRuleField { reason = "connection-option" }
            let showsPermitted = answer.isPermitted || reason != nil
            take(answer.egress, "egress", showsPermitted)
            take(answer.ingress, "ingress", showsPermitted)
            if rule == nil, reason == nil, !answer.isPermitted { reason = "no-rules" }
        }

        private mutating func take(_ side: SideAnswer?, _ direction: String, _ showsPermitted: Bool) {
            switch side {
            case .permitted(let rule, let done)?:
                if showsPermitted { self.rule = rule }
                for action in done { actions.append("\(action.kind.rawValue) \(action.name)") }
            case .denied(let nearest, let failed)?:
                rule = nearest
                denies = direction
                if nearest != nil { reason = failed.text }
            case nil: break
            }
        }
    }
}
