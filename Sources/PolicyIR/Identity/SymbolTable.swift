/// Texts as small numbers: compilation compares and hashes labels as integers.
struct SymbolTable: Sendable {
    /// The symbol of "no text here": never given to a text.
    static let none: UInt32 = 0

    /// The text of number i is symbol i + 1.
    private var table = TextTable()
    /// Texts as they appear in identity keys, with the separators of those keys escaped: one behind the other, each up to its end.
    private var escaped: [UInt8] = []
    private var ends: [Int32] = [0]

    /// How many texts there are, `none` included.
    var count: Int { ends.count }

    /// The symbol of a text, a new one at its first use.
    mutating func intern(_ text: String) -> UInt32 {
        let symbol = UInt32(truncatingIfNeeded: table.intern(text) + 1)
        if Int(symbol) == ends.count {
            escaped += SymbolTable.escape(text).utf8
            ends.append(Int32(truncatingIfNeeded: escaped.count))
        }
        return symbol
    }

    /// The symbol of a text, or `none` when nothing has that text.
    func symbol(of text: String) -> UInt32 {
        table.number(of: text).map { UInt32(truncatingIfNeeded: $0 + 1) } ?? SymbolTable.none
    }

    /// The text of a symbol.
    subscript(symbol: UInt32) -> String { symbol == SymbolTable.none ? "" : table.texts[Int(symbol) - 1] }

    /// The text of a symbol, safe between the separators of identity keys: two classes never get one key.
    func escapedText(_ symbol: UInt32) -> String { String(decoding: escapedBytes(symbol), as: UTF8.self) }

    /// The bytes of `escapedText`.
    func escapedBytes(_ symbol: UInt32) -> ArraySlice<UInt8> {
        if symbol == SymbolTable.none { return [] }
        return escaped[Int(ends[Int(symbol) - 1])..<Int(ends[Int(symbol)])]
    }

    /// Escapes what identity keys use as separators. Valid labels contain none of it.
    static func escape(_ text: String) -> String {
        let special: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "%"), UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: ":"), 0...32, 127: true
            default: false
            }
        }
        guard text.utf8.contains(where: special) else { return text }
        let digits = Array("0123456789abcdef".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if special(byte) {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
