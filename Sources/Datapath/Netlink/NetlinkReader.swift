/// Reads the payload of a netlink message: a fixed header, then attributes. Bytes that are not there are not read; a length that
/// does not fit ends the reading.
struct NetlinkReader {
    /// An attribute (`struct nlattr`): its type without flags, and its payload.
    struct Attribute {
        let type: UInt16
        let payload: ArraySlice<UInt8>

        /// The payload as a number of the host's byte order; `nil` when it has another size.
        var number: UInt32? { payload.count == 4 ? NetlinkReader.number(payload) : nil }
        /// The payload as text up to its final zero.
        var text: String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }
        /// The payload as attributes.
        var nested: NetlinkReader { NetlinkReader(payload) }
    }

    /// Alignment of headers and attributes.
    private static let alignment = 4
    /// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
    private static let flags: UInt16 = 0xc000

    private var rest: ArraySlice<UInt8>

    /// A reader of a message's payload, or of an attribute's.
    init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    /// The next bytes, without padding; `nil` when there are fewer.
    mutating func header(_ count: Int) -> [UInt8]? {
        guard rest.count >= count else { return nil }
        defer { skip(count) }
        return Array(rest.prefix(count))
    }

    /// The next attribute; `nil` at the end, or where the bytes are none.
    mutating func next() -> Attribute? {
        guard rest.count >= 4 else { return nil }
        let start = rest.startIndex
        let length = Int(rest[start]) | Int(rest[start + 1]) << 8
        let type = UInt16(rest[start + 2]) | UInt16(rest[start + 3]) << 8
        guard length >= 4, length <= rest.count else { return nil }
        defer { skip(length) }
        return Attribute(type: type & ~NetlinkReader.flags, payload: rest[(start + 4)..<(start + length)])
    }

    private mutating func skip(_ count: Int) {
        let aligned = (count + NetlinkReader.alignment - 1) & ~(NetlinkReader.alignment - 1)
        rest = rest.dropFirst(aligned)
    }

    /// Four bytes as a number of the host's byte order (little-endian on every machine netpold runs on).
    static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
