/// The bytes that HTTP/1 gives a meaning, and classes of bytes.
enum Byte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let quote = UInt8(ascii: "\"")
    static let percent = UInt8(ascii: "%")
    static let comma = UInt8(ascii: ",")
    static let hyphen = UInt8(ascii: "-")
    static let dot = UInt8(ascii: ".")
    static let slash = UInt8(ascii: "/")
    static let zero = UInt8(ascii: "0")
    static let colon = UInt8(ascii: ":")
    static let semicolon = UInt8(ascii: ";")
    static let equals = UInt8(ascii: "=")
    static let questionMark = UInt8(ascii: "?")
    static let asterisk = UInt8(ascii: "*")
    static let backslash = UInt8(ascii: "\\")

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    @inline(__always)
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 26 }

    /// ASCII letters in lower case; other bytes as they are.
    @inline(__always)
    static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit.
    @inline(__always)
    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- zero }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// Visible characters, spaces, tabs and bytes of other encodings: what a field's value may hold (RFC 9110 5.5).
    @inline(__always)
    static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 ? byte != 0x7f : byte == tab }

    /// Where the text ends that begins or goes on at an offset.
    @inline(__always)
    static func endOfText(in bytes: Span<UInt8>, from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var at = start
            while let word = EightBytes(bytes, at: at), !word.hasControl { at += 8 }
            while at < bytes.count, isText(bytes[at]) { at += 1 }
            return at
        }
    }

    /// Why a byte that is no text is refused. A carriage return is for the caller, who sees what follows.
    static func refusal(ofControl byte: UInt8) -> Refusal {
        switch byte {
        case 0: .zeroByte
        case lineFeed: .bareLineFeed
        case carriageReturn: .bareCarriageReturn
        default: .controlCharacter
        }
    }
}
