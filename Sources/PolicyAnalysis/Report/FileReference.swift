/// File names as URI references (RFC 3986): what SARIF and editors take.
enum FileReference {
    /// A relative path as a relative reference, an absolute one as a `file:` URI; other characters are
    /// percent-encoded. Standard input is `stdin`.
    static func uri(_ path: String) -> String {
        if path == "-" { return "stdin" }
        var bytes = Array(path.utf8)
        while bytes.starts(with: "./".utf8) { bytes.removeFirst(2) }
        var text = bytes.first == UInt8(ascii: "/") ? "file://" : ""
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in bytes {
            let encoded = isPlain(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            text += String(decoding: encoded, as: UTF8.self)
        }
        return text
    }

    /// "unreserved = ALPHA / DIGIT / - / . / _ / ~", and the slash between segments. A colon could look like a scheme.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
