public import HTTPScan
public import PolicyIR

/// Writes heads anew. Only for the header actions of rules, offers of HTTP/2, and connections that must end after the request.
public enum HeadRewriting {
    /// The head after actions, applied in order, and its places. `nil` when it would not be the same message any more: other framing,
    /// another connection, a head that the scanner refuses.
    public static func apply(
        _ actions: [HeaderAction], _ bytes: Span<UInt8>, _ head: RequestHead, limits: ScanLimits
    ) -> (bytes: [UInt8], head: RequestHead)? {
        var result = copy(bytes, 0..<head.count)
        for action in actions {
            guard let now = scan(result, limits), let next = applied(action, result, now) else { return nil }
            result = next
        }
        guard let after = scan(result, limits), after.framing == head.framing, after.upgrade == head.upgrade,
            after.keepsConnection == head.keepsConnection, after.expectsContinue == head.expectsContinue
        else { return nil }
        return (result, after)
    }

    /// The head without an offer of HTTP/2, and with `close` if the connection must end after the response. Other options of
    /// Connection stay.
    public static func ending(
        _ bytes: Span<UInt8>, _ head: RequestHead, close: Bool, withoutHTTP2: Bool
    ) -> [UInt8] {
        var result = copy(bytes, 0..<head.fields.lowerBound)
        var options: [[UInt8]] = []
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes) {
            let name = lower(copy(bytes, field.name))
            if name == Array("connection".utf8) {
                for option in copy(bytes, field.value).split(separator: UInt8(ascii: ",")) {
                    let trimmed = Array(option.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
                    let text = lower(trimmed)
                    if withoutHTTP2, text == Array("upgrade".utf8) || text == Array("http2-settings".utf8) { continue }
                    if close, text == Array("keep-alive".utf8) || text == Array("close".utf8) { continue }
                    options.append(trimmed)
                }
            } else if withoutHTTP2, name == Array("upgrade".utf8) || name == Array("http2-settings".utf8) {
                continue
            } else {
                result += copy(bytes, field.line)
            }
        }
        if close { options.append(Array("close".utf8)) }
        if !options.isEmpty {
            result += Array("Connection: ".utf8) + options.joined(separator: Array(", ".utf8)) + lineEnd
        }
        return result + lineEnd
    }

    private static let lineEnd: [UInt8] = [0x0d, 0x0a]

    private static func scan(_ bytes: [UInt8], _ limits: ScanLimits) -> RequestHead? {
        var scanner = RequestHeadScanner(limits: limits)
        guard let progress = try? scanner.scan(bytes.span), case .head(let head) = progress, head.count == bytes.count
        else {
            return nil
        }
        return head
    }

    /// One action, as `HTTPRequest.applying` defines it: there is exactly one authority, which can be replaced only.
    private static func applied(_ action: HeaderAction, _ bytes: [UInt8], _ head: RequestHead) -> [UInt8]? {
        let name = lower(Array(action.name.utf8))
        let isHost = name == Array("host".utf8)
        let line = Array(action.name.utf8) + Array(": ".utf8) + Array(action.value.utf8) + lineEnd
        switch action.kind {
        case .log: return bytes
        case .add, .delete: if isHost { return bytes }
        case .replace: break
        }
        let folded = FoldedName.of(name)
        var result = Array(bytes[..<head.fields.lowerBound])
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes.span) {
            // Also those that gateways read as it.
            let isNamed = FoldedName.is(bytes.span, field.name, folded)
            if isNamed, action.kind == .replace || action.kind == .delete { continue }
            result += bytes[field.line]
        }
        if action.kind != .delete { result += line }
        return result + lineEnd
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        bytes.extracting(range).withUnsafeBufferPointer(Array.init)
    }

    private static func lower(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
