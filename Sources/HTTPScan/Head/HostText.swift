/// The syntax of Host and of an authority: a name, an IPv4 address or an IPv6 address in brackets, and a port if any. User names,
/// escapes and empty values are refused, which servers treat in different ways; so is a name that is longer than names are, which logs
/// would keep.
enum HostText {
    /// Bytes of a name, as DNS has them.
    private static let longestName = 255

    static func isValid(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        guard !range.isEmpty else { return false }
        if bytes[at] == UInt8(ascii: "[") {
            at += 1
            let start = at
            while at < range.upperBound, ByteClass.addressLiteral.contains(bytes[at]) { at += 1 }
            guard at > start, at < range.upperBound, bytes[at] == UInt8(ascii: "]") else { return false }
            at += 1
        } else {
            while at < range.upperBound, ByteClass.hostName.contains(bytes[at]) { at += 1 }
            guard at > range.lowerBound else { return false }
        }
        guard at - range.lowerBound <= longestName else { return false }
        guard at < range.upperBound else { return true }
        guard bytes[at] == Byte.colon, (1...5).contains(range.upperBound - at - 1) else { return false }
        var port = 0
        for index in at + 1..<range.upperBound {
            guard Byte.isDigit(bytes[index]) else { return false }
            port = port * 10 + Int(bytes[index] - Byte.zero)
        }
        return port <= 65_535
    }
}
