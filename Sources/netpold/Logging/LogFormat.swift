import ArgumentParser
import Foundation
import Logging

/// How a line of the log is written: time, level and message first, then what it is about.
enum LogFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// `time=... level=notice msg="policies in force" policies=3`
    case logfmt = "logfmt"
    /// One JSON object a line, `time` its first field. Numbers are numbers.
    case json = "json"

    /// The line, without newline.
    ///
    /// - Parameters:
    ///   - message: what happened.
    ///   - level: how bad it is.
    ///   - time: when.
    ///   - metadata: what it is about; written sorted by key. A duration's key ends in its unit.
    /// - Returns: one line, whatever is in the texts.
    func line(_ message: String, _ level: Logger.Level, _ time: Date, _ metadata: Logger.Metadata) -> String {
        let about = metadata.sorted { $0.key < $1.key }
        let moment = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let fields: [(key: String, value: Field)] =
            [("time", .text(moment)), ("level", .text(level.rawValue)), ("msg", .text(message))]
            + about.map { ($0.key, Field($0.value)) }
        switch self {
        case .logfmt: return fields.map { "\($0.key)=\($0.value.logfmt)" }.joined(separator: " ")
        case .json:
            return "{" + fields.map { "\(JSONString.quote($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
        }
    }

    /// A value of the log.
    private enum Field {
        case text(String)
        case number(String)

        init(_ value: Logger.MetadataValue) {
            switch value {
            case .string(let text): self = .text(text)
            case .stringConvertible(let value as any BinaryInteger): self = .number("\(value)")
            case .stringConvertible(let value as Double) where value.isFinite: self = .number("\(value)")
            case .stringConvertible(let value): self = .text("\(value)")
            case .array(let values): self = .text(values.map { "\($0)" }.joined(separator: ","))
            case .dictionary(let values):
                self = .text(values.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ","))
            }
        }

        var json: String {
            switch self {
            case .text(let text): JSONString.quote(text)
            case .number(let number): number
            }
        }

        /// Quoted when it is not one plain word.
        var logfmt: String {
            switch self {
            case .number(let number): return number
            case .text(let text):
                let isPlain =
                    !text.isEmpty
                    && text.unicodeScalars.allSatisfy {
                        $0 > " " && $0 != "\"" && $0 != "=" && $0 != "\\" && $0 != "\u{7f}"
                    }
                return isPlain ? text : JSONString.quote(text)
            }
        }
    }
}

/// A string as JSON writes it.
private enum JSONString {
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case let control where control.value < 0x20 || control.value == 0x7f:
                quoted +=
                    "\\u" + String(repeating: "0", count: 4 - String(control.value, radix: 16).count)
                    + String(control.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
