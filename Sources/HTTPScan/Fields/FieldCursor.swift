/// Goes through the fields of a head that was scanned, in order.
public struct FieldCursor: Sendable {
    private var position: Int
    private let end: Int

    /// One field.
    public struct Field: Hashable, Sendable {
        /// The whole line, with its CRLF.
        public let line: Range<Int>
        /// The name.
        public let name: Range<Int>
        /// The value, without the whitespace around it.
        public let value: Range<Int>
    }

    /// The fields in `section` (`RequestHead.fields`, `ResponseHead.fields`).
    public init(_ section: Range<Int>) {
        position = section.lowerBound
        end = section.upperBound
    }

    /// The next field, `nil` after the last. The bytes must be those that were scanned.
    public mutating func next(_ bytes: Span<UInt8>) -> Field? {
        guard position < end else { return nil }
        let start = position
        var colon = start
        while bytes[colon] != Byte.colon { colon += 1 }
        var from = colon + 1
        while bytes[from] == Byte.space || bytes[from] == Byte.tab { from += 1 }
        var to = from
        while bytes[to] != Byte.carriageReturn { to += 1 }
        position = to + 2
        while to > from, bytes[to - 1] == Byte.space || bytes[to - 1] == Byte.tab { to -= 1 }
        return Field(line: start..<position, name: start..<colon, value: from..<to)
    }
}
