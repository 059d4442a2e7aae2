/// A value of a manifest, with its location and its path inside its object.
public struct DocumentNode: Sendable {
    /// The value.
    public enum Content: Sendable {
        /// `null`, or nothing after a key.
        case null
        /// Text, number or boolean.
        case scalar(DocumentScalar)
        /// A list.
        case list([DocumentNode])
        /// A map in source order, without repeated keys.
        case map([DocumentMember])
    }

    /// The value.
    public let content: Content
    /// Where it begins.
    public let location: SourceLocation
    /// Its path.
    public let path: DocumentPath
    /// Whether it or a value below has a repeated key, so that its content is not reliable.
    public let isFaulty: Bool

    /// A value at a location; `hasRepeatedKey` says that this map itself has a repeated key.
    public init(_ content: Content, location: SourceLocation, path: DocumentPath, hasRepeatedKey: Bool = false) {
        self.content = content
        self.location = location
        self.path = path
        isFaulty =
            switch content {
            case .null, .scalar: hasRepeatedKey
            case .list(let elements): hasRepeatedKey || elements.contains(where: \.isFaulty)
            case .map(let members): hasRepeatedKey || members.contains(where: \.value.isFaulty)
            }
    }
}

/// A key of a map with its value.
public struct DocumentMember: Sendable {
    /// The key.
    public let key: String
    /// Where the key is written.
    public let location: SourceLocation
    /// The value.
    public let value: DocumentNode

    /// A member.
    public init(key: String, location: SourceLocation, value: DocumentNode) {
        self.key = key
        self.location = location
        self.value = value
    }
}

extension DocumentNode {
    /// The members of a map, `nil` for anything else.
    public var members: [DocumentMember]? {
        if case .map(let members) = content { members } else { nil }
    }

    /// The elements of a list, `nil` for anything else.
    public var elements: [DocumentNode]? {
        if case .list(let elements) = content { elements } else { nil }
    }

    /// The scalar, `nil` for anything else.
    public var scalar: DocumentScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    /// The text of a string (not of a number or boolean), `nil` for anything else.
    public var string: String? {
        guard let scalar, scalar.kind == .string else { return nil }
        return scalar.text
    }

    /// The value of an integer, `nil` for anything else.
    public var integer: Int64? {
        guard case .scalar(let scalar) = content, case .integer(let value) = scalar.kind else { return nil }
        return value
    }

    /// The value of a boolean, `nil` for anything else.
    public var boolean: Bool? {
        guard case .scalar(let scalar) = content, case .boolean(let value) = scalar.kind else { return nil }
        return value
    }

    /// Whether the value is `null`.
    public var isNull: Bool {
        if case .null = content { true } else { false }
    }

    /// The value under a key of a map, `nil` when there is none.
    public subscript(key: String) -> DocumentNode? {
        members?.first { $0.key == key }?.value
    }

    /// A description of the value for messages: `a list`, `the number 80`.
    public var kindDescription: String {
        switch content {
        case .null: return "null"
        case .list: return "a list"
        case .map: return "a map"
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: return "the string \"\(DocumentNode.shortened(scalar.text))\""
            case .integer, .number: return "the number \(DocumentNode.shortened(scalar.text))"
            case .boolean: return "the boolean \(scalar.text)"
            }
        }
    }

    /// The same value as the root of an object: paths begin here.
    public func asRoot() -> DocumentNode { moved(to: .root) }

    /// The same value under another path.
    func moved(to path: DocumentPath) -> DocumentNode {
        switch content {
        case .null, .scalar:
            return DocumentNode(content, location: location, path: path)
        case .list(let elements):
            let moved = elements.enumerated().map { $1.moved(to: path.appending(index: $0)) }
            return DocumentNode(.list(moved), location: location, path: path, hasRepeatedKey: isFaulty)
        case .map(let members):
            let moved = members.map {
                DocumentMember(
                    key: $0.key, location: $0.location, value: $0.value.moved(to: path.appending(key: $0.key)))
            }
            return DocumentNode(.map(moved), location: location, path: path, hasRepeatedKey: isFaulty)
        }
    }

    /// At most 64 characters of a value, for messages.
    package static func shortened(_ text: String) -> String {
        text.count > 64 ? String(text.prefix(61)) + "..." : text
    }
}
