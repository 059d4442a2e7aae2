/// One event of a watch.
public struct WatchLine: Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// There is a new object, or one begins to match.
        case added
        /// An object changed.
        case modified
        /// An object is gone, or does not match any more.
        case deleted
        /// Nothing happened up to the version that it carries.
        case bookmark
        /// The watch cannot go on.
        case error
    }

    /// What happened.
    public let kind: Kind
    /// The bytes of the object: its last state where it is gone, a Status for an error.
    public let object: ArraySlice<UInt8>
    /// What names the object. Empty for an error.
    public let head: ObjectHead

    /// Whether it is of an object, and does not say of which.
    var lacksName: Bool {
        switch kind {
        case .added, .modified, .deleted: head.name.isEmpty
        case .bookmark, .error: false
        }
    }

    /// Reads a line.
    ///
    /// - Throws: when it is no JSON, lacks its type or object, or has a type that is not known.
    public init(parsing line: ArraySlice<UInt8>) throws(EnvelopeFailure) {
        var type: String?
        var place: Range<Int>?
        let failure = line.withUnsafeBufferPointer { buffer -> EnvelopeFailure? in
            var cursor = JSONCursor(buffer)
            do throws(EnvelopeFailure) {
                try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
                    switch key {
                    case "type": type = try cursor.text()
                    case "object": place = try cursor.value()
                    default: _ = try cursor.value()
                    }
                }
                try cursor.end()
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        guard let type, let place else { throw EnvelopeFailure("it is no event: it has no type or no object") }
        let start = line.startIndex
        object = line[(start + place.lowerBound)..<(start + place.upperBound)]
        switch type {
        case "ADDED": kind = .added
        case "MODIFIED": kind = .modified
        case "DELETED": kind = .deleted
        case "BOOKMARK": kind = .bookmark
        case "ERROR": kind = .error
        default: throw EnvelopeFailure("an event of type \"\(type.prefix(32))\" is not known")
        }
        head = try ObjectHead(scanning: object)
    }
}
