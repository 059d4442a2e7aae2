/// A set of ASCII bytes.
struct ByteClass {
    private let low: UInt64
    private let high: UInt64

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    init(_ characters: StaticString) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        characters.withUTF8Buffer {
            for byte in $0 where byte < 0x80 {
                if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
            }
        }
        (self.low, self.high) = (low, high)
    }

    func union(_ other: ByteClass) -> ByteClass { ByteClass(low: low | other.low, high: high | other.high) }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        // A word and a shift, no jump on the byte.
        (byte < 64 ? low : byte < 128 ? high : 0) >> UInt64(byte & 63) & 1 != 0
    }

    /// The offset of the first byte from `start` on that is not in the set.
    @inline(__always)
    func end(in bytes: Span<UInt8>, from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var at = start
            while at < bytes.count, contains(bytes[at]) { at += 1 }
            return at
        }
    }

    static let alphanumeric = ByteClass("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    /// Methods: a subset of tokens (`Refusal.methodCharacter`).
    static let method = ByteClass("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
    /// `tchar` of RFC 9110 5.6.2.
    static let token = alphanumeric.union(ByteClass("!#$%&'*+-.^_`|~"))
    /// `pchar` of RFC 3986 and `/`; square brackets, the bar and braces are taken too, as clients send them unescaped.
    static let path = alphanumeric.union(ByteClass("-._~%!$&'()*+,;=:@/[]|{}"))
    /// Those of a path that mean themselves to every server.
    static let plainPath = alphanumeric.union(ByteClass("-_~"))
    /// The path's, `?`, and what browsers leave unescaped in queries.
    static let query = path.union(ByteClass("?\\^`"))
    /// Names and IPv4 addresses.
    static let hostName = alphanumeric.union(ByteClass("-._~"))
    /// What stands in the brackets of an IPv6 address.
    static let addressLiteral = ByteClass("0123456789ABCDEFabcdef:.")
    /// `unreserved` of RFC 3986 2.3: an escape of one means the same as itself.
    static let unreserved = alphanumeric.union(ByteClass("-._~"))
}
