/// The numbers of DNS messages (RFC 1035), and how much of a message is read: as the kernel programs do (bpf/lib/dns.h).
enum DNSLimits {
    static let headerBytes = 12
    /// Of a record behind its owner's name: type, class, time to live, length.
    static let fixedBytes = 10
    static let messageBytes = 4096
    /// Behind a length of two bytes (RFC 1035 4.2.2).
    static let streamMessageBytes = 65_535
    static let nameBytes = 255
    static let labelBytes: UInt8 = 63
    /// From this length byte on the rest of a name is elsewhere.
    static let pointer: UInt8 = 0xc0
    static let labels = 128
    static let records = 128
    /// By pointers, in two names that are compared.
    static let jumps = 16
    /// Bytes and jumps of the names that are compared in a message.
    static let steps = 2048
}

/// Types of records that are given a meaning.
enum DNSType {
    static let a: UInt16 = 1
    static let cname: UInt16 = 5
    static let aaaa: UInt16 = 28
    static let opt: UInt16 = 41
    static let any: UInt16 = 255
}

extension Array<UInt8> {
    /// Two bytes in network order, of which the second may be missing.
    func short(at offset: Int) -> UInt16 {
        func byte(_ index: Int) -> UInt16 { indices.contains(index) ? UInt16(self[index]) : 0 }
        return byte(offset) << 8 | byte(offset + 1)
    }
}

/// ASCII letters in lower case; other bytes as they are.
func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
