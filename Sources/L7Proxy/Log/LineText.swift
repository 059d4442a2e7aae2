internal import HTTPScan

/// Writes the parts of a line: members of a JSON object, or words.
enum LineText {
    /// Adds a member with a text, escaped: whatever a client sends stays one value on one line.
    static func add(_ name: StaticString, _ text: String, to bytes: inout [UInt8]) {
        begin(name, &bytes)
        bytes.append(UInt8(ascii: "\""))
        append(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a member with a text that is a part of a message.
    static func add(_ name: StaticString, _ text: Span<UInt8>, to bytes: inout [UInt8]) {
        begin(name, &bytes)
        bytes.append(UInt8(ascii: "\""))
        append(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds words that need no escape.
    static func append(plain words: StaticString, to bytes: inout [UInt8]) {
        words.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Adds a text, escaped.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable { append($0, to: &bytes) }
        if isWritten == nil { for byte in text.utf8 { append(byte, to: &bytes) } }
    }

    /// Adds a part of a message, escaped.
    static func append(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        text.withUnsafeBufferPointer { append($0, to: &bytes) }
    }

    /// Run by run, since most texts need no escape.
    private static func append(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        var start = 0
        while start < text.count {
            let end = endOfPlain(text, from: start)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
            if end < text.count { append(text[end], to: &bytes) }
            start = end + 1
        }
    }

    /// The offset of the first byte from `start` on that needs an escape. Eight at a time while none does.
    private static func endOfPlain(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        while let word = EightBytes(text, at: at), !word.hasControl, !word.has(UInt8(ascii: "\"")),
            !word.has(UInt8(ascii: "\\"))
        { at += 8 }
        while at < text.count, isPlain(text[at]) { at += 1 }
        return at
    }

    /// Adds one byte of a text, escaped as JSON asks. Text for a terminal is escaped likewise.
    static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0..<0x20, 0x7f:
            append(plain: "\\u00", to: &bytes)
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
        append(plain: name, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// Whether a byte stands for itself.
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
}
