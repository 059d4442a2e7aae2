/// The other form of a path (RFC 3986 6.2.2): escapes of unreserved characters and of separators decoded, empty segments left out.
/// A rule that allows the path as sent but not this one could be meant for another resource than the server finds.
public enum NormalPath {
    /// Appends the normal form of a path with query that was scanned. The query stays as it is.
    public static func append(_ bytes: Span<UInt8>, _ path: Range<Int>, to result: inout [UInt8]) {
        var at = path.lowerBound
        var afterSlash = false
        while at < path.upperBound, bytes[at] != Byte.questionMark {
            var byte = bytes[at]
            var width = 1
            if byte == Byte.percent, at + 2 < path.upperBound, let high = Byte.hexadecimal(bytes[at + 1]),
                let low = Byte.hexadecimal(bytes[at + 2])
            {
                let decoded = high << 4 | low
                if PathSegment.isSeparator(decoded) {
                    (byte, width) = (Byte.slash, 3)
                } else if ByteClass.unreserved.contains(decoded) {
                    (byte, width) = (decoded, 3)
                }
            }
            if byte != Byte.slash || !afterSlash { result.append(byte) }
            afterSlash = byte == Byte.slash
            at += width
        }
        while at < path.upperBound {
            result.append(bytes[at])
            at += 1
        }
    }
}
