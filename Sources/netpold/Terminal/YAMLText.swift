import Foundation
import Yams

/// YAML for standard output: what `JSONText` prints, in the same order.
enum YAMLText {
    /// The text, with a line end.
    static func render(_ value: some Encodable) throws -> String {
        try render(json: JSONText.render(value, isStream: true))
    }

    /// The same of JSON that somebody else has made.
    static func render(json: String) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        encoder.options.allowUnicode = true
        let text = try encoder.encode(JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)))
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Any JSON.
    private enum JSONValue: Codable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case unsigned(UInt64)
        case number(Double)
        case text(String)
        case list([JSONValue])
        case map([String: JSONValue])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let found = try? value.decode(Bool.self) {
                self = .boolean(found)
            } else if let found = try? value.decode(Int64.self) {
                self = .integer(found)
            } else if let found = try? value.decode(UInt64.self) {
                self = .unsigned(found)
            } else if let found = try? value.decode(Double.self) {
                self = .number(found)
            } else if let found = try? value.decode(String.self) {
                self = .text(found)
            } else if let found = try? value.decode([JSONValue].self) {
                self = .list(found)
            } else {
                self = .map(try value.decode([String: JSONValue].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .null: try value.encodeNil()
            case .boolean(let found): try value.encode(found)
            case .integer(let found): try value.encode(found)
            case .unsigned(let found): try value.encode(found)
            case .number(let found): try value.encode(found)
            case .text(let found): try value.encode(found)
            case .list(let found): try value.encode(found)
            case .map(let found): try value.encode(found)
            }
        }
    }
}
