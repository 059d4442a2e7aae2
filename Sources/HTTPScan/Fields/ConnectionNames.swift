/// Options of Connection: fields that end at the next hop, which takes them out of the message.
public enum ConnectionNames {
    /// Options that are no fields, or fields that must be named.
    private static let usual = ["close", "keep-alive", "upgrade", "te", "http2-settings"].map { Array($0.utf8) }

    /// The first option in the value of a Connection field that names one of some fields, which are folded (`FoldedName`); `nil` without
    /// any.
    public static func first(naming names: [[UInt8]], in bytes: Span<UInt8>, _ value: Range<Int>) -> Range<Int>? {
        var at = value.lowerBound
        while at < value.upperBound {
            let start = at
            at = min(ByteClass.token.end(in: bytes, from: at), value.upperBound)
            let option = start..<at
            if !usual.contains(where: { FoldedName.is(bytes, option, $0) }),
                names.contains(where: { FoldedName.is(bytes, option, $0) })
            {
                return option
            }
            // A comma, or a blank beside one.
            at += 1
        }
        return nil
    }
}
