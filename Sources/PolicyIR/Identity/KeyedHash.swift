/// Hashes of texts and of lists of symbols, keyed at random for each value: who does not know the key cannot choose what collides.
///
/// Two words at a time are multiplied to 128 bits, and the halves folded into one; a fifth of what `Hasher` costs for a label. Nothing
/// that depends on a hash may be seen outside: it is another one in each process.
package struct KeyedHash: Sendable {
    private let start: UInt64
    private let key: UInt64

    /// A hash with a key of its own.
    package init() {
        start = .random(in: 0 ... .max)
        // Odd: no bit of what it is multiplied with is lost.
        key = .random(in: 0 ... .max) | 1
    }

    /// The hash of symbols.
    func hash(_ symbols: [UInt32]) -> UInt64 {
        var state = KeyedHash.fold(start ^ UInt64(truncatingIfNeeded: symbols.count), key)
        var place = 0
        while place + 1 < symbols.count {
            state = KeyedHash.fold(state ^ (UInt64(symbols[place]) | UInt64(symbols[place + 1]) << 32), key)
            place += 2
        }
        if place < symbols.count { state = KeyedHash.fold(state ^ UInt64(symbols[place]), key) }
        return KeyedHash.fold(state ^ start, key)
    }

    /// The hash of words.
    package func hash(_ words: Span<UInt64>) -> UInt64 {
        var state = KeyedHash.fold(start ^ UInt64(truncatingIfNeeded: words.count), key)
        for place in words.indices { state = KeyedHash.fold(state ^ words[place], key) }
        return state
    }

    /// The hash of a text, `nil` where it is not ASCII: then texts of other bytes may be equal to it.
    func hash(_ text: String) -> UInt64? {
        let bytes = text.utf8Span.span.bytes
        var state = KeyedHash.fold(start ^ UInt64(truncatingIfNeeded: bytes.byteCount), key)
        var seen: UInt64 = 0
        var place = 0
        while place + 8 <= bytes.byteCount {
            let word = bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            seen |= word
            state = KeyedHash.fold(state ^ word, key)
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.byteCount {
            rest = rest << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))
            place += 1
        }
        seen |= rest
        if seen & 0x8080_8080_8080_8080 != 0 { return nil }
        return KeyedHash.fold(KeyedHash.fold(state ^ rest, key) ^ start, key)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
