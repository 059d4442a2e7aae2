/// A message of the local API: a JSON object whose `type` says which fields are beside it (docs/reference/local-api.md).
public protocol APIMessage: Sendable {
    /// The values of `type`.
    associatedtype Kind: RawRepresentable<String> & Sendable
    /// The value of `type`.
    var kind: Kind { get }
    /// Reads the fields beside `type`.
    init(_ kind: Kind, from decoder: any Decoder) throws
    /// Writes the fields beside `type`.
    func encodeFields(to encoder: any Encoder) throws
}

/// A message with its `version` and `type`: the object of one line.
struct APILine<Message: APIMessage>: Codable {
    var message: Message

    private enum CodingKeys: String, CodingKey {
        case version = "version"
        case type = "type"
        /// `version` as the first version wrote it.
        case firstVersion = "v"
    }

    init(_ message: Message) {
        self.message = message
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guard
            let version = try fields.decodeIfPresent(Int.self, forKey: .version)
                ?? fields.decodeIfPresent(Int.self, forKey: .firstVersion)
        else { throw MessageError.malformed("has no version") }
        guard version == MessageCodec.version else { throw MessageError.version(version) }
        let type = try fields.decode(String.self, forKey: .type)
        guard let kind = Message.Kind(rawValue: type) else { throw MessageError.unknownType(type) }
        message = try Message(kind, from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(MessageCodec.version, forKey: .version)
        try fields.encode(message.kind.rawValue, forKey: .type)
        try message.encodeFields(to: encoder)
    }
}
