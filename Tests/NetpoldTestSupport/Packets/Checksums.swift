/// Checksums from their definitions, byte by byte.
public enum Checksums {
    /// That of RFC 1071; bytes in network order, a missing last one counts as 0.
    public static func internet(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for (index, byte) in bytes.enumerated() { sum += UInt32(byte) << (index.isMultiple(of: 2) ? 8 : 0) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }

    /// That of RFC 9260, appendix A.
    public static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var register = UInt32.max
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        return ~register
    }

    /// The bytes of a transport message of a packet, with its checksum where the protocol has it.
    static func transport(_ payload: [UInt8], of packet: IPPacket) -> [UInt8] {
        var result = payload
        func put(_ sum: UInt16, at offset: Int) {
            result.replaceSubrange(offset..<offset + 2, with: sum.bigEndianBytes)
        }
        let pseudo =
            packet.source.bytes.suffix(packet.source.isIPv4 ? 4 : 16)
            + packet.destination.bytes.suffix(packet.source.isIPv4 ? 4 : 16) + UInt32(payload.count).bigEndianBytes
            + [0, 0, 0, packet.protocol]
        switch packet.protocol {
        case 6 where payload.count >= 18:
            put(0, at: 16)
            put(internet(pseudo + result), at: 16)
        case 17 where payload.count >= 8:
            put(0, at: 6)
            let sum = internet(pseudo + result)
            put(sum == 0 ? 0xffff : sum, at: 6)
        case 132 where payload.count >= 12:
            result.replaceSubrange(8..<12, with: [0, 0, 0, 0])
            result.replaceSubrange(8..<12, with: crc32c(result).bigEndianBytes.reversed())
        case 1 where payload.count >= 4:
            put(0, at: 2)
            put(internet(result), at: 2)
        case 58 where payload.count >= 4:
            put(0, at: 2)
            put(internet(pseudo + result), at: 2)
        default: break
        }
        return result
    }
}

extension IPPacket {
    /// The same with the checksum of its transport; of a fragment nothing is changed.
    public var summed: IPPacket {
        guard fragment == nil else { return self }
        return with { $0.payload = Checksums.transport(payload, of: self) }
    }

    /// The packet's bytes, with the checksum of an IPv4 header.
    public var summedBytes: [UInt8] {
        var result = bytes
        guard source.isIPv4 else { return result }
        let length = min(Int(result[0] & 15) * 4, result.count)
        let sum = Checksums.internet(Array(result.prefix(length)))
        result.replaceSubrange(10..<12, with: sum.bigEndianBytes)
        return result
    }

    /// The packet in an Ethernet frame, with the checksum of an IPv4 header.
    public var summedFrame: [UInt8] {
        Frame.ethernet(source.isIPv4 ? Frame.EtherType.ipv4 : Frame.EtherType.ipv6, summedBytes)
    }
}
