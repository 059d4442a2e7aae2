internal import HTTPScan

/// The fields that a request's Connection names: they end at the next hop, which takes them out.
enum ConnectionFields {
    private static let connection = Array("connection".utf8)

    /// Whether one of these names, which are folded, is among them.
    static func name(anyOf names: [[UInt8]], _ bytes: Span<UInt8>, _ head: RequestHead) -> Bool {
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes) {
            guard FoldedName.is(bytes, field.name, connection) else { continue }
            if ConnectionNames.first(naming: names, in: bytes, field.value) != nil { return true }
        }
        return false
    }
}
