import Foundation

/// Lines of the local API: one JSON object a line, with its `version` and `type`.
///
/// One place for both sides; a line of another version is refused, not guessed at.
public struct MessageCodec: Sendable {
    /// Version of the lines: raised when a field changes its meaning or goes. New fields and types come without.
    public static let version = 2
    /// Longest request line, bytes.
    public static let requestLimit = 64 << 10
    /// Longest reply line, bytes.
    public static let replyLimit = 16 << 20

    /// A codec.
    public init() {}

    /// One line, newline included.
    public func encode(_ message: some APIMessage) throws(MessageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            var line = Array(try encoder.encode(APILine(message)))
            line.append(UInt8(ascii: "\n"))
            return line
        } catch {
            throw MessageError.malformed("cannot be written as JSON")
        }
    }

    /// The message of a line without its newline.
    public func decode<Message: APIMessage>(
        _ type: Message.Type, from line: [UInt8]
    ) throws(MessageError) -> Message {
        do {
            return try JSONDecoder().decode(APILine<Message>.self, from: Data(line)).message
        } catch let error as MessageError {
            throw error
        } catch let error as DecodingError {
            throw MessageError.malformed(MessageCodec.words(error))
        } catch {
            throw MessageError.malformed("is not a message of the local API")
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ keys: [any CodingKey]) -> String { keys.map(\.stringValue).joined(separator: ".") }
        switch error {
        case .keyNotFound(let key, let context): return "lacks \(path(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let place = path(context.codingPath)
            return place.isEmpty ? "is not a JSON object" : "has no valid \(place)"
        @unknown default: return "is not a message of the local API"
        }
    }
}

/// Why bytes are not a message.
public enum MessageError: Error, Hashable, Sendable {
    /// A line longer than the limit, bytes.
    case oversize(limit: Int)
    /// Another version.
    case version(Int)
    /// A message of a type that this side does not know.
    case unknownType(String)
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
        case .unknownType(let type): "the type \"\(type.prefix(64))\" is not known"
        case .malformed(let what): "the line \(what)"
        }
    }
}
