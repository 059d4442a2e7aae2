/// The fields that say where a message ends, where it goes, or what becomes of the connection.
enum KnownField {
    case host, connection, upgrade, expect, contentLength, transferEncoding
    /// Not of these, but never in a trailer (RFC 9110 6.5.1).
    case headOnly
    case other

    /// What a name means. Throws for a name that only gateways read as one of framing.
    @inline(__always)
    static func of(_ bytes: Span<UInt8>, _ name: Range<Int>) throws(Refusal) -> KnownField {
        switch name.count {
        case 2: bytes.isText("te", at: name) ? .headOnly : .other
        case 4: bytes.isText("host", at: name) ? .host : .other
        case 6: bytes.isText("expect", at: name) ? .expect : bytes.isText("cookie", at: name) ? .headOnly : .other
        case 7:
            bytes.isText("upgrade", at: name)
                ? .upgrade : bytes.isText("trailer", at: name) ? .headOnly : .other
        case 10:
            bytes.isText("connection", at: name)
                ? .connection
                : bytes.isText("set-cookie", at: name) || bytes.isText("keep-alive", at: name) ? .headOnly : .other
        case 13: bytes.isText("authorization", at: name) || bytes.isText("content-range", at: name) ? .headOnly : .other
        case 14: try isFraming("content-length", bytes, name) ? .contentLength : .other
        case 16: bytes.isText("content-encoding", at: name) ? .headOnly : .other
        case 17: try isFraming("transfer-encoding", bytes, name) ? .transferEncoding : .other
        case 12: bytes.isText("content-type", at: name) ? .headOnly : .other
        case 19: bytes.isText("proxy-authorization", at: name) ? .headOnly : .other
        default: .other
        }
    }

    /// Whether a name is one of framing. Another sign in the place of the hyphen: CGI and its heirs read it as the same.
    private static func isFraming(
        _ lowercased: StaticString, _ bytes: Span<UInt8>, _ name: Range<Int>
    ) throws(Refusal) -> Bool {
        var isDisguised = false
        let isSame = lowercased.withUTF8Buffer { text in
            for index in 0..<text.count {
                let byte = bytes[name.lowerBound + index]
                if Byte.lower(byte) == text[index] { continue }
                guard text[index] == Byte.hyphen, !Byte.isAlphanumeric(byte) else { return false }
                isDisguised = true
            }
            return true
        }
        if isSame, isDisguised { throw .disguisedField }
        return isSame
    }
}
