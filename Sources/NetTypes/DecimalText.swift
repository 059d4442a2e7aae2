/// Decimal numbers as addresses and prefixes write them: digits only, no sign, no leading zero.
package enum DecimalText {
    /// The number, or `nil` when the bytes are not such a number or it exceeds `limit`.
    package static func parse(_ bytes: some Collection<UInt8>, atMost limit: Int) -> Int? {
        guard let first = bytes.first, bytes.count == 1 || first != UInt8(ascii: "0") else { return nil }
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            guard value <= limit else { return nil }
        }
        return value
    }
}
