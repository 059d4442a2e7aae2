internal import HTTPScan

/// The fields that a request's Connection names: they end at the next hop, which takes them out.
enum ConnectionFields {
    /// Options that are no fields, or fields that must be named.
    private static let usual = ["close", "keep-alive", "upgrade", "te", "http2-settings"].map { Array($0.utf8) }
    private static let connection = Array("connection".utf8)

    /// Whether one of these names, which are folded, is among them.
    static func name(anyOf names: [[UInt8]], _ bytes: Span<UInt8>, _ head: RequestHead) -> Bool {
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes) {
            guard FoldedName.is(bytes, field.name, connection) else { continue }
            var at = field.value.lowerBound
            while at < field.value.upperBound {
                let start = at
                while at < field.value.upperBound, HeadText.isToken(bytes[at]) { at += 1 }
                let option = start..<at
                if !usual.contains(where: { FoldedName.is(bytes, option, $0) }),
                    names.contains(where: { FoldedName.is(bytes, option, $0) })
                {
                    return true
                }
                // A comma, or a blank beside one.
                at += 1
            }
        }
        return false
    }
}
