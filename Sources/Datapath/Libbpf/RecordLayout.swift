/// The fields of a map's key or value, as type information describes them: by name, so that layouts of two versions of this
/// program can be compared.
struct RecordLayout: Hashable, Sendable {
    /// A number somewhere in the record.
    struct Field: Hashable, Sendable {
        /// Where, as one would write it: `side[0].revision`; empty for a record that is a number itself.
        var name: String
        /// Bytes from the start of the record.
        var offset: Int
        /// Bytes.
        var size: Int
        /// Whether it is in network byte order; else it is in that of the machine.
        var isNetworkOrder: Bool
    }

    /// Bytes of the record, padding included.
    var size: Int
    /// Every field but padding, in the order of the declaration.
    var fields: [Field]
}

/// The layouts of a map's two halves.
struct MapLayout: Hashable, Sendable {
    var key: RecordLayout
    var value: RecordLayout
}

extension RecordLayout: CustomStringConvertible {
    /// `32 bytes: side[0].revision 0+4, ...`.
    var description: String {
        let list = fields.map { "\($0.name)\($0.isNetworkOrder ? " (network order)" : "") \($0.offset)+\($0.size)" }
        return "\(size) bytes: \(list.joined(separator: ", "))"
    }
}
