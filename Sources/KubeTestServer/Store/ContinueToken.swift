/// Where a list goes on: base64url JSON without padding.
struct ContinueToken {
    /// The version of the list; -1 for whatever is there now.
    var version: Int
    /// The key after which it goes on.
    var start: String

    init(version: Int, start: String) {
        self.version = version
        self.start = start
    }

    init(_ text: String) throws(APIStatus) {
        let bytes = ContinueToken.decode(text)
        guard let value = bytes.flatMap({ JSONValue(parsing: $0) }), let start = value["start"]?.text,
            case .number(let number) = value["rv"], let version = Int(number)
        else {
            throw .badRequest(
                "invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value"
            )
        }
        self.init(version: version, start: start.hasPrefix("/") ? start : "/" + start)
    }

    var text: String {
        let start = self.start.hasSuffix("\0") ? String(self.start.dropLast()) + "\\u0000" : self.start
        return ContinueToken.encode(Array(#"{"v":"meta.k8s.io/v1","rv":\#(version),"start":"\#(start)"}"#.utf8))
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)]) }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
