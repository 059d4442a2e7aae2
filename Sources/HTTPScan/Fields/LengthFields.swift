/// What Content-Length and Transfer-Encoding of a head say.
struct LengthFields {
    private(set) var length: UInt64?
    private(set) var isChunked = false

    /// Adds a Content-Length: digits alone, and once.
    mutating func addContentLength(
        _ bytes: Span<UInt8>, _ value: Range<Int>, limits: ScanLimits
    ) throws(Refusal) {
        guard length == nil else { throw .contentLengthTwice }
        guard !isChunked else { throw .twoLengths }
        guard !value.isEmpty, value.count == 1 || bytes[value.lowerBound] != Byte.zero else {
            throw .contentLengthSyntax
        }
        var number: UInt64 = 0
        for index in value {
            guard Byte.isDigit(bytes[index]) else { throw .contentLengthSyntax }
            // 19 digits fit in any case; the syntax of the rest is still checked.
            number = number > 1 << 59 ? .max : number * 10 + UInt64(bytes[index] - Byte.zero)
        }
        guard number <= limits.body else { throw .contentLengthTooLarge }
        length = number
    }

    /// Adds a Transfer-Encoding: `chunked` alone, once, and not in HTTP/1.0.
    mutating func addTransferEncoding(
        _ bytes: Span<UInt8>, _ value: Range<Int>, minorVersion: Int
    ) throws(Refusal) {
        guard minorVersion > 0 else { throw .transferEncodingInHTTP10 }
        guard !isChunked, bytes.isText("chunked", at: value) else { throw .transferEncoding }
        guard length == nil else { throw .twoLengths }
        isChunked = true
    }

    /// Whether a body of at least one byte may follow.
    var announcesBody: Bool { isChunked || (length ?? 0) > 0 }
}
