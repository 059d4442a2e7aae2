import Foundation

/// Lines of the local API: one JSON object a line, `{"v":1,"body":...}`.
///
/// One place for both sides; a line of another version is refused, not guessed at.
public struct MessageCodec: Sendable {
    /// Version of the lines.
    public static let version = 1
    /// Longest request line, bytes.
    public static let requestLimit = 64 << 10
    /// Longest reply line, bytes.
    public static let replyLimit = 16 << 20

    private struct Envelope<Body: Codable>: Codable {
        var v: Int
        var body: Body
    }

    private struct VersionOnly: Codable {
        var v: Int
    }

    /// A codec.
    public init() {}

    /// One line, newline included.
    public func encode(_ body: some Codable & Sendable) throws(MessageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            var line = Array(try encoder.encode(Envelope(v: MessageCodec.version, body: body)))
            line.append(UInt8(ascii: "\n"))
            return line
        } catch {
            throw MessageError.malformed("cannot be written as JSON")
        }
    }

    /// The message of a line without its newline.
    public func decode<Body: Codable>(_ type: Body.Type, from line: [UInt8]) throws(MessageError) -> Body {
        let data = Data(line)
        let decoder = JSONDecoder()
        do {
            return try decoder.decode(Envelope<Body>.self, from: data).body
        } catch {
            // Which version the other side speaks is the more useful answer.
            if let other = try? decoder.decode(VersionOnly.self, from: data), other.v != MessageCodec.version {
                throw MessageError.version(other.v)
            }
            throw MessageError.malformed("is not a message of the local API")
        }
    }
}

/// Why bytes are no message.
public enum MessageError: Error, Hashable, Sendable {
    /// A line longer than the limit, bytes.
    case oversize(limit: Int)
    /// Another version.
    case version(Int)
    /// Not a message.
    case malformed(String)
}

extension MessageError: CustomStringConvertible {
    /// In words.
    public var description: String {
        switch self {
        case .oversize(let limit): "a line of more than \(limit) bytes"
        case .version(let version):
            "the other side speaks version \(version) of the local API and this one version \(MessageCodec.version); "
                + "use the same netpold on both sides"
        case .malformed(let what): "the line \(what)"
        }
    }
}
