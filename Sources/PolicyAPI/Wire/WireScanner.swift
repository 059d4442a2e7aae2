/// Reads one JSON value of an API server in a single pass: what a mask asks for becomes a document, everything else is checked
/// and stepped over.
///
/// It accepts no text that `JSONReader` refuses: RFC 8259, UTF-8, no key twice, and the same limits. Whatever is not plain
/// (a syntax error, a repeated key, very large maps) it gives up: the caller has `JSONReader` decide and find the words.
struct WireScanner: ~Copyable {
    /// The text is not plain.
    struct NotPlain: Error {}

    /// How many keys of one map are compared with each other; a larger map is not plain.
    private static let mapLimit = 64
    /// Where values seem to be: nobody sees it, as messages come from the exact reader.
    static let nowhere = SourceLocation(file: "", line: 1, column: 1)

    private let base: UnsafeRawPointer
    private let end: Int
    private var index = 0
    /// Values read; keys are not counted.
    private var nodes = 0
    /// The keys of the maps that are open, and beyond `keyCount` those of maps that are closed.
    private var keys: [WireKey] = []
    private var keyCount = 0

    init(_ bytes: UnsafeRawBufferPointer) throws(NotPlain) {
        guard let address = bytes.baseAddress, bytes.count <= DocumentLimits.bytes else { throw NotPlain() }
        base = address
        end = bytes.count
        keys.reserveCapacity(WireScanner.mapLimit)
    }

    /// The value, which must be all of the text.
    mutating func read(_ mask: WireMask, _ strings: inout WireStrings) throws(NotPlain) -> DocumentNode {
        skipSpace()
        let node = try value(mask, depth: 1, &strings)
        skipSpace()
        guard index == end else { throw NotPlain() }
        return node
    }

    // MARK: - Values

    private mutating func count(depth: Int) throws(NotPlain) {
        nodes += 1
        guard nodes <= DocumentLimits.nodes, depth <= DocumentLimits.depth, index < end else { throw NotPlain() }
    }

    /// A value that is wanted, as far as the mask goes.
    private mutating func value(
        _ mask: WireMask, depth: Int, _ strings: inout WireStrings
    ) throws(NotPlain) -> DocumentNode {
        try count(depth: depth)
        let content: DocumentNode.Content
        switch byte(index) {
        case UInt8(ascii: "{"): content = .map(try map(mask, depth: depth, &strings))
        case UInt8(ascii: "["): content = .list(try list(mask, depth: depth, &strings))
        case UInt8(ascii: "\""): content = .scalar(DocumentScalar(text: try text(mask, &strings), kind: .string))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): content = .scalar(try number())
        case UInt8(ascii: "t"):
            try word("true")
            content = .scalar(DocumentScalar(text: "true", kind: .boolean(true)))
        case UInt8(ascii: "f"):
            try word("false")
            content = .scalar(DocumentScalar(text: "false", kind: .boolean(false)))
        case UInt8(ascii: "n"):
            try word("null")
            content = .null
        default: throw NotPlain()
        }
        return DocumentNode(content, location: WireScanner.nowhere, path: .root)
    }

    private mutating func map(
        _ mask: WireMask, depth: Int, _ strings: inout WireStrings
    ) throws(NotPlain) -> [DocumentMember] {
        var members: [DocumentMember] = []
        let first = keyCount
        guard try openMap() else { return members }
        repeat {
            let key = try key(since: first)
            if let part = mask.part(key) {
                guard !key.hasEscapes else { throw NotPlain() }
                let value = try value(part, depth: depth + 1, &strings)
                let name = strings.text(UnsafeRawBufferPointer(start: base + key.start, count: key.count))
                members.append(DocumentMember(key: name, location: WireScanner.nowhere, value: value))
            } else {
                // Of annotations that nobody reads the decoder still asks that they are strings.
                guard !mask.wantsTexts || index < end && byte(index) == UInt8(ascii: "\"") else { throw NotPlain() }
                try skip(depth: depth + 1)
            }
        } while try nextMember()
        keyCount = first
        return members
    }

    private mutating func list(
        _ mask: WireMask, depth: Int, _ strings: inout WireStrings
    ) throws(NotPlain) -> [DocumentNode] {
        var elements: [DocumentNode] = []
        index += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        repeat {
            skipSpace()
            elements.append(try value(mask, depth: depth + 1, &strings))
        } while try nextElement()
        return elements
    }

    /// A value that nobody wants.
    private mutating func skip(depth: Int) throws(NotPlain) {
        try count(depth: depth)
        switch byte(index) {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"):
            let first = keyCount
            guard try openMap() else { return }
            repeat {
                _ = try key(since: first)
                try skip(depth: depth + 1)
            } while try nextMember()
            keyCount = first
        case UInt8(ascii: "["):
            index += 1
            skipSpace()
            if take(UInt8(ascii: "]")) { return }
            repeat {
                skipSpace()
                try skip(depth: depth + 1)
            } while try nextElement()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try numberEnd()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: throw NotPlain()
        }
    }

    // MARK: - Maps and lists

    /// Steps into a map; false when it is empty.
    private mutating func openMap() throws(NotPlain) -> Bool {
        index += 1
        skipSpace()
        return !take(UInt8(ascii: "}"))
    }

    /// A key with its colon, which no key of the same map equals.
    private mutating func key(since first: Int) throws(NotPlain) -> WireKey {
        skipSpace()
        guard index < end, byte(index) == UInt8(ascii: "\"") else { throw NotPlain() }
        let found = try string()
        // Keys are compared as text: outside of ASCII, and with escapes that nobody must write, that is more than comparing
        // bytes.
        guard found.isASCII, !found.hasOptionalEscapes else { throw NotPlain() }
        let key = WireKey(base, at: found.start, count: found.count, hasEscapes: found.hasEscapes)
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw NotPlain() }
        skipSpace()
        guard keyCount - first < WireScanner.mapLimit else { throw NotPlain() }
        for other in first..<keyCount where keys[other].mayEqual(key) {
            guard key.count > 16, !isEqual(keys[other], key) else { throw NotPlain() }
        }
        if keyCount < keys.count { keys[keyCount] = key } else { keys.append(key) }
        keyCount += 1
        return key
    }

    /// Whether two keys of the same length are the same.
    private func isEqual(_ left: WireKey, _ right: WireKey) -> Bool {
        for offset in 0..<left.count where byte(left.start + offset) != byte(right.start + offset) { return false }
        return true
    }

    private mutating func nextMember() throws(NotPlain) -> Bool {
        skipSpace()
        guard index < end else { throw NotPlain() }
        let next = byte(index)
        index += 1
        if next == UInt8(ascii: ",") { return true }
        guard next == UInt8(ascii: "}") else { throw NotPlain() }
        return false
    }

    private mutating func nextElement() throws(NotPlain) -> Bool {
        skipSpace()
        guard index < end else { throw NotPlain() }
        let next = byte(index)
        index += 1
        if next == UInt8(ascii: ",") { return true }
        guard next == UInt8(ascii: "]") else { throw NotPlain() }
        return false
    }

    // MARK: - Scalars

    /// Where a string is, without its quotes.
    private struct Found {
        var start: Int
        var count: Int
        var hasEscapes = false
        /// Whether it has escapes other than those that must be written: of a quote and of a backslash.
        var hasOptionalEscapes = false
        var isASCII = true
    }

    /// Steps over a string. Escapes are checked, and bytes outside of ASCII.
    private mutating func string() throws(NotPlain) -> Found {
        index += 1
        var found = Found(start: index, count: 0)
        while true {
            // Eight bytes at a time, up to a quote, backslash, control character or byte outside of ASCII.
            while index + 8 <= end {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let special = WireScanner.special(word)
                if special != 0 {
                    index += special.trailingZeroBitCount >> 3
                    break
                }
                index += 8
            }
            guard index < end else { throw NotPlain() }
            switch byte(index) {
            case UInt8(ascii: "\""):
                found.count = index - found.start
                index += 1
                if !found.isASCII { try checkUTF8(found) }
                return found
            case UInt8(ascii: "\\"): try stepOverEscape(&found)
            case 0..<0x20: throw NotPlain()
            case 0x80...:
                found.isASCII = false
                index += 1
            default: index += 1
            }
        }
    }

    /// Marks the highest bit of bytes that end a plain run. Above the lowest mark there may be wrong ones.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let ends =
            WordScan.marks(word, equalTo: UInt8(ascii: "\"")) | WordScan.marks(word, equalTo: UInt8(ascii: "\\"))
        return (ends | WordScan.marks(word, below: 0x20) | word) & WordScan.highs
    }

    private mutating func stepOverEscape(_ found: inout Found) throws(NotPlain) {
        found.hasEscapes = true
        guard index + 1 < end else { throw NotPlain() }
        let escape = byte(index + 1)
        index += 2
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): break
        case UInt8(ascii: "u"):
            found.hasOptionalEscapes = true
            var place = index
            _ = try unicodeEscape(&place)
            index = place
        default:
            guard JSONEscape.byte(escape) != nil else { throw NotPlain() }
            found.hasOptionalEscapes = true
        }
    }

    /// Whether a string is UTF-8. Escapes are ASCII: between the bytes of one character they spoil it either way.
    private func checkUTF8(_ found: Found) throws(NotPlain) {
        let bytes = UnsafeRawBufferPointer(start: base + found.start, count: found.count)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw NotPlain() }
    }

    /// The text of a string whose escapes are valid.
    private func decode(_ found: Found) throws(NotPlain) -> String {
        var text: [UInt8] = []
        var place = found.start
        let last = found.start + found.count
        while place < last {
            let next = byte(place)
            place += 1
            guard next == UInt8(ascii: "\\") else {
                text.append(next)
                continue
            }
            let escape = byte(place)
            place += 1
            if let plain = JSONEscape.byte(escape) {
                text.append(plain)
            } else {
                text += Array(String(try unicodeEscape(&place)).utf8)
            }
        }
        guard let result = String(validating: text, as: UTF8.self) else { throw NotPlain() }
        return result
    }

    /// The character of `\uXXXX`, both halves of a pair, at the digits.
    private func unicodeEscape(_ place: inout Int) throws(NotPlain) -> Unicode.Scalar {
        let unit = try hexUnit(&place)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard JSONEscape.isHighSurrogate(unit), place + 1 < end, byte(place) == UInt8(ascii: "\\"),
            byte(place + 1) == UInt8(ascii: "u")
        else { throw NotPlain() }
        place += 2
        guard let scalar = JSONEscape.character(unit, try hexUnit(&place)) else { throw NotPlain() }
        return scalar
    }

    private func hexUnit(_ place: inout Int) throws(NotPlain) -> UInt32 {
        guard place + 4 <= end else { throw NotPlain() }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = JSONEscape.digit(byte(place)) else { throw NotPlain() }
            unit = unit << 4 | digit
            place += 1
        }
        return unit
    }

    /// The text of a string that is wanted.
    private mutating func text(_ mask: WireMask, _ strings: inout WireStrings) throws(NotPlain) -> String {
        let found = try string()
        guard !found.hasEscapes else { return try decode(found) }
        let bytes = UnsafeRawBufferPointer(start: base + found.start, count: found.count)
        return mask.isUnique ? String(decoding: bytes, as: UTF8.self) : strings.text(bytes)
    }

    private mutating func number() throws(NotPlain) -> DocumentScalar {
        let start = index
        let isInteger = try numberEnd()
        let text = String(decoding: UnsafeRawBufferPointer(start: base + start, count: index - start), as: UTF8.self)
        let value = isInteger ? Int64(text) : nil
        return DocumentScalar(text: text, kind: value.map { .integer($0) } ?? .number)
    }

    /// Steps over a number; whether it has neither fraction nor exponent.
    private mutating func numberEnd() throws(NotPlain) -> Bool {
        _ = take(UInt8(ascii: "-"))
        let first = index
        try digits()
        guard index == first + 1 || byte(first) != UInt8(ascii: "0") else { throw NotPlain() }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if index < end, byte(index) | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            index += 1
            if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
            try digits()
        }
        return isInteger
    }

    /// One digit or more.
    private mutating func digits() throws(NotPlain) {
        let start = index
        while index < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte(index)) { index += 1 }
        guard index > start else { throw NotPlain() }
    }

    private mutating func word(_ word: StaticString) throws(NotPlain) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index < end, byte(index) == word.utf8Start[offset] else { throw NotPlain() }
            index += 1
        }
    }

    // MARK: - Bytes

    @inline(__always)
    private func byte(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }

    @inline(__always)
    private mutating func take(_ wanted: UInt8) -> Bool {
        guard index < end, byte(index) == wanted else { return false }
        index += 1
        return true
    }

    @inline(__always)
    private mutating func skipSpace() {
        while index < end, byte(index) <= 0x20, DocumentReader.isSpace(byte(index)) { index += 1 }
    }
}
