/// Texts as small numbers: compilation compares and hashes labels as integers.
struct SymbolTable: Sendable {
    /// The symbol of "no text here": never given to a text.
    static let none: UInt32 = 0

    private var symbols: [String: UInt32] = [:]
    private var texts: [String] = [""]
    /// Texts as they appear in identity keys, with the separators of those keys escaped.
    private var escaped: [String] = [""]

    /// How many texts there are.
    var count: Int { texts.count }

    /// The symbol of a text, a new one at its first use.
    mutating func intern(_ text: String) -> UInt32 {
        if let symbol = symbols[text] { return symbol }
        let symbol = UInt32(truncatingIfNeeded: texts.count)
        symbols[text] = symbol
        texts.append(text)
        escaped.append(SymbolTable.escape(text))
        return symbol
    }

    /// The symbol of a text, or `none` when nothing has that text.
    func symbol(of text: String) -> UInt32 { symbols[text] ?? SymbolTable.none }

    /// The text of a symbol.
    subscript(symbol: UInt32) -> String { texts[Int(symbol)] }

    /// The text of a symbol, safe between the separators of identity keys: two classes never get one key.
    func escapedText(_ symbol: UInt32) -> String { escaped[Int(symbol)] }

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
