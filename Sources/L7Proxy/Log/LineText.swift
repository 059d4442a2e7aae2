/// Writes the parts of a line: members of a JSON object, or words.
enum LineText {
    /// Adds a member with a text, escaped: whatever a client sends stays one value on one line.
    static func add(_ name: StaticString, _ text: String, to bytes: inout [UInt8]) {
        begin(name, &bytes)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { append(byte, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a member with a text that is a part of a message.
    static func add(_ name: StaticString, _ text: Span<UInt8>, to bytes: inout [UInt8]) {
        begin(name, &bytes)
        bytes.append(UInt8(ascii: "\""))
        for index in text.indices { append(text[index], to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a member with a number.
    static func add(_ name: StaticString, _ number: Int64, to bytes: inout [UInt8]) {
        begin(name, &bytes)
        append(number, to: &bytes)
    }

    /// Adds one byte of a text, escaped as JSON asks. Text for a terminal is escaped likewise.
    static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0..<0x20, 0x7f:
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(UInt8(ascii: "u"))
            bytes.append(UInt8(ascii: "0"))
            bytes.append(UInt8(ascii: "0"))
            bytes.append(digit(byte >> 4))
            bytes.append(digit(byte & 15))
        default: bytes.append(byte)
        }
    }

    /// Adds a decimal number. Digit by digit from the first: a slice of an array that is turned round is a copy.
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        let rest = number.magnitude
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var unit: UInt64 = 1
        while rest / unit >= 10 { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit % 10))
            unit /= 10
        }
    }

    private static func begin(_ name: StaticString, _ bytes: inout [UInt8]) {
        if let last = bytes.last, last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
}
