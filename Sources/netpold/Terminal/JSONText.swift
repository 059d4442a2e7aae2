import Foundation

/// JSON for standard output: keys sorted, so that equal values give equal text.
enum JSONText {
    /// The text: indented, or in one line for a stream.
    static func render(_ value: some Encodable, isStream: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !isStream { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
