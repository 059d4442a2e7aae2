/// Transport headers as bytes, checksums left zero (nothing here looks at them).
public enum Transport {
    /// TCP flag bits.
    public enum TCPFlags {
        /// FIN
        public static let fin: UInt8 = 0x01
        /// SYN
        public static let syn: UInt8 = 0x02
        /// RST
        public static let rst: UInt8 = 0x04
        /// ACK
        public static let ack: UInt8 = 0x10
    }

    /// A TCP header; `words` is the header length it claims, in words of four bytes, `options` the bytes after the fixed part.
    public static func tcp(
        _ source: UInt16, _ destination: UInt16, flags: UInt8, words: UInt8 = 5, options: [UInt8] = []
    ) -> [UInt8] {
        source.bigEndianBytes + destination.bigEndianBytes + [0, 0, 0, 1, 0, 0, 0, 0, words << 4, flags, 0xff, 0xff]
            + [0, 0, 0, 0] + options
    }

    /// A UDP header and its payload.
    public static func udp(_ source: UInt16, _ destination: UInt16, payload: [UInt8] = []) -> [UInt8] {
        source.bigEndianBytes + destination.bigEndianBytes + UInt16(8 + payload.count).bigEndianBytes + [0, 0] + payload
    }

    /// An SCTP header with the header of its first chunk; chunk 1 is INIT, 0 DATA.
    public static func sctp(_ source: UInt16, _ destination: UInt16, chunk: UInt8) -> [UInt8] {
        source.bigEndianBytes + destination.bigEndianBytes + [UInt8](repeating: 0, count: 8) + [chunk, 0, 0, 4]
    }

    /// An ICMP or ICMPv6 message.
    public static func icmp(_ type: UInt8, code: UInt8 = 0, identifier: UInt16 = 0, body: [UInt8] = []) -> [UInt8] {
        [type, code, 0, 0] + identifier.bigEndianBytes + [0, 0] + body
    }
}

extension UInt16 {
    /// In network order.
    public var bigEndianBytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}

extension UInt32 {
    /// In network order.
    public var bigEndianBytes: [UInt8] {
        UInt16(self >> 16).bigEndianBytes + UInt16(truncatingIfNeeded: self).bigEndianBytes
    }
}
