import PolicyAPI

/// A JSON value whose objects keep the order of their keys: what the recorded server writes first, this one writes first.
enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// A number as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key and its value.
    struct Member: Hashable, Sendable {
        var key: String
        var value: JSONValue
    }

    /// The first value of JSON or YAML text; `nil` when it cannot be read.
    init?(parsing bytes: [UInt8], file: String = "body.json") {
        let output = DocumentReader.read(bytes, file: file)
        guard output.diagnostics.isEmpty, let document = output.documents.first else { return nil }
        self.init(document)
    }

    /// A document's value.
    init(_ node: DocumentNode) {
        switch node.content {
        case .null: self = .null
        case .list(let elements): self = .array(elements.map { JSONValue($0) })
        case .map(let members): self = .object(members.map { Member(key: $0.key, value: JSONValue($0.value)) })
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: self = .string(scalar.text)
            case .integer(let value): self = .number(String(value))
            case .number: self = .number(scalar.text)
            case .boolean(let value): self = .boolean(value)
            }
        }
    }

    /// A number.
    static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// The value under a key of an object; setting `nil` removes it, a new key comes last.
    subscript(key: String) -> JSONValue? {
        get { members?.first { $0.key == key }?.value }
        set {
            var members = members ?? []
            if let index = members.firstIndex(where: { $0.key == key }) {
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            } else if let newValue {
                members.append(Member(key: key, value: newValue))
            }
            self = .object(members)
        }
    }

    /// The members of an object, `nil` for anything else.
    var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// The elements of an array, `nil` for anything else.
    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text of a string, `nil` for anything else.
    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The same value with the keys of every object sorted, as custom resources are written.
    var sorted: JSONValue {
        switch self {
        case .null, .boolean, .number, .string: self
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(
                members.map { Member(key: $0.key, value: $0.value.sorted) }.sorted {
                    $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
                })
        }
    }

    /// Compact JSON.
    var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    /// Appends compact JSON.
    func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .boolean(let value): output += (value ? "true" : "false").utf8
        case .number(let text): output += text.utf8
        case .string(let text): JSONValue.write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONValue.write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends a quoted string. `<`, `>` and `&` are escaped, as Go does.
    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): output += "\\n".utf8
            case UInt8(ascii: "\r"): output += "\\r".utf8
            case UInt8(ascii: "\t"): output += "\\t".utf8
            case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                let hex = String(byte, radix: 16)
                output += "\\u00\(hex.count < 2 ? "0" : "")\(hex)".utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    init(stringLiteral value: String) { self = .string(value) }

    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }

    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}
