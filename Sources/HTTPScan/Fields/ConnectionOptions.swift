/// What the Connection fields of a head say.
struct ConnectionOptions {
    private(set) var close = false
    private(set) var keepAlive = false
    private(set) var upgrade = false

    /// Adds one field's value: a list of tokens, without empty elements. An empty value is an empty list.
    mutating func add(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(Refusal) {
        guard !value.isEmpty else { return }
        var at = value.lowerBound
        while true {
            while at < value.upperBound, bytes[at] == Byte.space || bytes[at] == Byte.tab { at += 1 }
            let start = at
            at = min(ByteClass.token.end(in: bytes, from: at), value.upperBound)
            guard at > start else { throw .connectionSyntax }
            try add(bytes, token: start..<at)
            while at < value.upperBound, bytes[at] == Byte.space || bytes[at] == Byte.tab { at += 1 }
            guard at < value.upperBound else { return }
            guard bytes[at] == Byte.comma else { throw .connectionSyntax }
            at += 1
        }
    }

    private mutating func add(_ bytes: Span<UInt8>, token: Range<Int>) throws(Refusal) {
        if bytes.isText("close", at: token) {
            close = true
        } else if bytes.isText("keep-alive", at: token) {
            keepAlive = true
        } else if bytes.isText("upgrade", at: token) {
            upgrade = true
        } else {
            switch try KnownField.of(bytes, token) {
            case .host, .contentLength, .transferEncoding, .expect: throw .connectionNamesFraming
            // TE must be named here (RFC 9110 10.1.4); others that end at this hop may be.
            case .connection, .upgrade, .headOnly, .other: break
            }
        }
    }

    /// Whether the connection is kept after the message (RFC 9112 9.3): `close` wins, HTTP/1.0 has to ask.
    func keepsConnection(minorVersion: Int) -> Bool { !close && (minorVersion > 0 || keepAlive) }
}
