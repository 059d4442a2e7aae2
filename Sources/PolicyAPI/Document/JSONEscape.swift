/// What is behind a backslash in a string of JSON: the one meaning for the reader of documents and the pass over API objects.
enum JSONEscape {
    /// The byte that a letter stands for; `nil` for `u`, and for what is no escape.
    @inline(__always)
    static func byte(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x8
        case UInt8(ascii: "f"): 0xc
        case UInt8(ascii: "n"): 0xa
        case UInt8(ascii: "r"): 0xd
        case UInt8(ascii: "t"): 0x9
        default: nil
        }
    }

    /// The value of a hexadecimal digit; `nil` for another byte.
    static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Whether a unit of UTF-16 must be followed by the other half of its character.
    static func isHighSurrogate(_ unit: UInt32) -> Bool { (0xd800..<0xdc00).contains(unit) }

    /// The character of both halves; `nil` when the second is none.
    static func character(_ high: UInt32, _ low: UInt32) -> Unicode.Scalar? {
        guard (0xdc00..<0xe000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }
}
