/// Reads strict JSON (RFC 8259), one value after the other, with locations. A YAML reader would get surrogate pairs, tabs
/// and NUL escapes wrong.
struct JSONReader {
    /// What is left of the file's budget.
    private(set) var budget: DocumentBudget
    /// Whether the chunk was JSON from end to end. (A value too deep or a key written twice is still JSON.)
    private(set) var isWellFormed = true
    private let bytes: ArraySlice<UInt8>
    private var index: Int
    private var line: Int
    /// A position of the current line whose column is known, so that the columns of a long line cost one pass in total.
    private var known: (index: Int, column: Int)
    private var diagnostics: [Diagnostic] = []

    init(_ chunk: DocumentChunk, _ budget: DocumentBudget) {
        self.budget = budget
        bytes = chunk.content
        index = bytes.startIndex
        line = chunk.firstLine
        known = (bytes.startIndex, chunk.firstColumn + (bytes.startIndex - chunk.bytes.startIndex))
    }

    /// The values of the chunk up to the first error.
    mutating func read() -> DocumentReader.Output {
        var output = DocumentReader.Output()
        do {
            skipSpace()
            while index < bytes.endIndex {
                let root = try value(.root, depth: 1)
                output.diagnostics += diagnostics
                diagnostics = []
                if !root.isNull { output.documents.append(root) }
                skipSpace()
            }
        } catch {
            isWellFormed = error.id != .syntax
            output.diagnostics += diagnostics + [error.diagnostic]
        }
        return output
    }

    private mutating func value(_ path: DocumentPath, depth: Int) throws(DocumentFailure) -> DocumentNode {
        let place = location()
        var hasRepeatedKey = false
        try budget.spendNode(at: place, depth: depth)
        let content: DocumentNode.Content
        switch peek {
        case UInt8(ascii: "{"):
            let builder = try map(path, depth: depth)
            diagnostics += builder.diagnostics
            hasRepeatedKey = !builder.diagnostics.isEmpty
            content = .map(builder.members)
        case UInt8(ascii: "["): content = .list(try list(path, depth: depth))
        case UInt8(ascii: "\""): content = .scalar(DocumentScalar(text: try string(), kind: .string))
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): content = .scalar(try number())
        case UInt8(ascii: "t"): content = try word("true", .scalar(DocumentScalar(text: "true", kind: .boolean(true))))
        case UInt8(ascii: "f"):
            content = try word("false", .scalar(DocumentScalar(text: "false", kind: .boolean(false))))
        case UInt8(ascii: "n"): content = try word("null", .null)
        default: throw unexpected("a value")
        }
        return DocumentNode(content, location: place, path: path, hasRepeatedKey: hasRepeatedKey)
    }

    private mutating func map(_ path: DocumentPath, depth: Int) throws(DocumentFailure) -> DocumentMapBuilder {
        index += 1
        var builder = DocumentMapBuilder()
        skipSpace()
        if take("}") { return builder }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
            let place = location()
            let key = try string()
            skipSpace()
            guard take(":") else { throw unexpected("a colon") }
            skipSpace()
            let member = try value(path.appending(key: key), depth: depth + 1)
            builder.add(DocumentMember(key: key, location: place, value: member))
            skipSpace()
        } while take(",")
        guard take("}") else { throw unexpected("a comma or }") }
        return builder
    }

    private mutating func list(_ path: DocumentPath, depth: Int) throws(DocumentFailure) -> [DocumentNode] {
        index += 1
        var elements: [DocumentNode] = []
        skipSpace()
        if take("]") { return [] }
        repeat {
            skipSpace()
            elements.append(try value(path.appending(index: elements.count), depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw unexpected("a comma or ]") }
        return elements
    }

    private mutating func word(
        _ word: StaticString, _ content: DocumentNode.Content
    ) throws(DocumentFailure) -> DocumentNode.Content {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[offset] else { throw unexpected("\(word)") }
            index += 1
        }
        return content
    }

    private mutating func number() throws(DocumentFailure) -> DocumentScalar {
        let start = index
        _ = take("-")
        let isZero = peek == UInt8(ascii: "0")
        guard takeDigits() > 0, !isZero || index == start + 1 || bytes[start] == UInt8(ascii: "-") && index == start + 2
        else { throw unexpected("a number without leading zeros") }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard takeDigits() > 0 else { throw unexpected("a digit") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if !take("-") { _ = take("+") }
            guard takeDigits() > 0 else { throw unexpected("a digit") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        let integer = isInteger ? Int64(text) : nil
        return DocumentScalar(text: text, kind: integer.map { .integer($0) } ?? .number)
    }

    private mutating func takeDigits() -> Int {
        let start = index
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func string() throws(DocumentFailure) -> String {
        index += 1
        var text: [UInt8] = []
        while true {
            guard let byte = peek else { throw unexpected("the closing quote") }
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                guard let result = String(validating: text, as: UTF8.self) else {
                    throw failure("a string is not valid UTF-8", "save the file as UTF-8")
                }
                return result
            case UInt8(ascii: "\\"):
                index += 1
                text += String(try escape()).utf8
            case 0..<0x20:
                throw failure(
                    "control character in a string",
                    "write it as \\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default:
                text.append(byte)
                index += 1
            }
        }
    }

    /// The character of an escape, after its backslash.
    private mutating func escape() throws(DocumentFailure) -> Unicode.Scalar {
        guard let byte = peek else { throw unexpected("an escape") }
        index += 1
        if let plain = JSONEscape.byte(byte) { return Unicode.Scalar(plain) }
        guard byte == UInt8(ascii: "u") else {
            index -= 1
            throw unexpected("one of \" \\ / b f n r t u")
        }
        let unit = try hexUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A high surrogate must be followed by a low one.
        if JSONEscape.isHighSurrogate(unit), take("\\"), take("u"),
            let scalar = JSONEscape.character(unit, try hexUnit())
        {
            return scalar
        }
        throw failure("half a surrogate pair", "write both halves, or the character itself")
    }

    private mutating func hexUnit() throws(DocumentFailure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap(JSONEscape.digit) else { throw unexpected("four hexadecimal digits") }
            unit = unit << 4 | digit
            index += 1
        }
        return unit
    }

    private var peek: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, UInt32(byte) == character.value else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, DocumentReader.isSpace(byte) {
            index += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                known = (index, 1)
            }
        }
    }

    private mutating func location() -> SourceLocation {
        // Columns count characters: bytes that begin one.
        if index >= known.index {
            known = (index, known.column + bytes[known.index..<index].count { $0 & 0xc0 != 0x80 })
        }
        return SourceLocation(file: budget.file, line: line, column: known.column)
    }

    private mutating func unexpected(_ expected: String) -> DocumentFailure {
        failure(
            "expected \(expected)" + (peek == nil ? ", found the end of the file" : ""),
            "check commas, quotes and brackets here")
    }

    private mutating func failure(_ message: String, _ hint: String) -> DocumentFailure {
        DocumentFailure(id: .syntax, location: location(), message: "invalid JSON: \(message)", hint: hint)
    }
}
