import NetTypes
import NetpoldTestSupport

/// DNS messages as bytes.
enum DNSText {
    static let a: UInt16 = 1
    static let cname: UInt16 = 5
    static let aaaa: UInt16 = 28
    static let opt: UInt16 = 41

    /// A name written out.
    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// A pointer to an offset.
    static func pointer(_ offset: Int) -> [UInt8] { (0xc000 | UInt16(offset)).bigEndianBytes }

    /// EDNS, with options.
    static func edns(_ options: [UInt8] = []) -> [UInt8] {
        [0] + opt.bigEndianBytes + UInt16(1232).bigEndianBytes + [0, 0, 0, 0] + UInt16(options.count).bigEndianBytes
            + options
    }

    static func header(_ id: UInt16, flags: UInt16, questions: UInt16 = 1, answers: UInt16 = 0, additional: UInt16 = 0)
        -> [UInt8]
    {
        [id, flags, questions, answers, 0, additional].flatMap(\.bigEndianBytes)
    }

    static func question(_ text: String, _ type: UInt16 = a) -> [UInt8] {
        name(text) + type.bigEndianBytes + UInt16(1).bigEndianBytes
    }

    static func query(_ text: String, _ type: UInt16 = a, id: UInt16 = 7, edns: [UInt8]? = nil) -> [UInt8] {
        header(id, flags: 0x0100, additional: edns == nil ? 0 : 1) + question(text, type) + (edns ?? [])
    }

    /// A record; its owner is the question's name unless another is given.
    static func record(
        _ type: UInt16, _ data: [UInt8], ttl: UInt32 = 300, owner: [UInt8] = pointer(12)
    ) -> [UInt8] {
        owner + type.bigEndianBytes + UInt16(1).bigEndianBytes + ttl.bigEndianBytes
            + UInt16(data.count).bigEndianBytes + data
    }

    static func address(_ address: IPAddress, ttl: UInt32 = 300, owner: [UInt8] = pointer(12)) -> [UInt8] {
        address.isIPv4
            ? record(a, Array(address.bytes.suffix(4)), ttl: ttl, owner: owner)
            : record(aaaa, Array(address.bytes), ttl: ttl, owner: owner)
    }

    static func answer(
        _ text: String, _ type: UInt16 = a, id: UInt16 = 7, flags: UInt16 = 0x8180, records: [[UInt8]]
    ) -> [UInt8] {
        header(id, flags: flags, answers: UInt16(records.count)) + question(text, type) + records.flatMap { $0 }
    }
}
