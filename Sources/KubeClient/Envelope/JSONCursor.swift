import PolicyAPI

/// Walks through the outer layers of JSON that an API server wrote, without making values of it: finds members and
/// elements, and steps over what nobody asked for.
///
/// Brackets inside skipped values are not checked. Read a value strictly before you use it.
struct JSONCursor: ~Copyable {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var index: Int

    /// At the first byte.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        index = 0
    }

    /// The next byte that is no space; `nil` at the end.
    mutating func peek() -> UInt8? {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): index += 1
            default: return bytes[index]
            }
        }
        return nil
    }

    /// Whether the next byte is this one; steps over it then.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek(), UInt32(byte) == character.value else { return false }
        index += 1
        return true
    }

    /// Calls `body` at the value of each member of an object; it has to step over it.
    mutating func eachMember(
        _ body: (inout JSONCursor, _ key: JSONKey) throws(EnvelopeFailure) -> Void
    ) throws(EnvelopeFailure) {
        guard take("{") else { throw unexpected("an object") }
        if take("}") { return }
        repeat {
            let key = try string()
            guard take(":") else { throw unexpected("a colon") }
            try body(&self, JSONKey(UnsafeBufferPointer(rebasing: bytes[key])))
        } while take(",")
        guard take("}") else { throw unexpected("a comma or the end of the object") }
    }

    /// Calls `body` at each element of a list; it has to step over it.
    mutating func eachElement(
        _ body: (inout JSONCursor) throws(EnvelopeFailure) -> Void
    ) throws(EnvelopeFailure) {
        guard take("[") else { throw unexpected("a list") }
        if take("]") { return }
        repeat { try body(&self) } while take(",")
        guard take("]") else { throw unexpected("a comma or the end of the list") }
    }

    /// Steps over a value; answers where it is.
    mutating func value() throws(EnvelopeFailure) -> Range<Int> {
        guard let first = peek() else { throw unexpected("a value") }
        let start = index
        switch first {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try nested()
        case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"): throw unexpected("a value")
        default:
            while index < bytes.count, !JSONCursor.endsWord(bytes[index]) { index += 1 }
        }
        return start..<index
    }

    /// Steps over an object or a list.
    private mutating func nested() throws(EnvelopeFailure) {
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                _ = try string()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    index += 1
                    return
                }
            default: break
            }
            index += 1
        }
        throw unexpected("the end of a value")
    }

    /// Steps over a string; answers where its text is, escapes as written.
    mutating func string() throws(EnvelopeFailure) -> Range<Int> {
        guard take("\"") else { throw unexpected("a string") }
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<(index - 1)
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        index = bytes.count
        throw unexpected("the end of a string")
    }

    /// The text of a string, `nil` when there is something else, which is stepped over.
    mutating func text() throws(EnvelopeFailure) -> String? {
        guard peek() == UInt8(ascii: "\"") else {
            _ = try value()
            return nil
        }
        let place = try string()
        let slice = UnsafeBufferPointer(rebasing: bytes[place])
        guard slice.contains(UInt8(ascii: "\\")) else { return String(decoding: slice, as: UTF8.self) }
        // Rare: the strict reader knows all escapes.
        let quoted = Array(bytes[(place.lowerBound - 1)...place.upperBound])
        return DocumentReader.read(quoted, file: "string.json").documents.first?.string
    }

    /// An integer, `nil` when there is something else, which is stepped over.
    mutating func integer() throws(EnvelopeFailure) -> Int64? {
        let place = try value()
        return Int64(String(decoding: UnsafeBufferPointer(rebasing: bytes[place]), as: UTF8.self))
    }

    /// Nothing may follow.
    mutating func end() throws(EnvelopeFailure) {
        guard peek() == nil else { throw unexpected("the end") }
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: " "), UInt8(ascii: "\n"),
            UInt8(ascii: "\r"), UInt8(ascii: "\t"):
            true
        default: false
        }
    }

    private func unexpected(_ wanted: String) -> EnvelopeFailure {
        guard index < bytes.count else { return EnvelopeFailure("it ends at byte \(bytes.count), before \(wanted)") }
        return EnvelopeFailure("expected \(wanted) at byte \(index)")
    }
}

/// The key of a member, as written. Only to be used while the cursor's bytes are there.
struct JSONKey {
    private let bytes: UnsafeBufferPointer<UInt8>

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Whether the key is this one. API servers write no escapes in the keys that are looked for.
    static func ~= (name: StaticString, key: JSONKey) -> Bool {
        key.bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}
