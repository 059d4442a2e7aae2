/// Frames of HTTP/2 written by hand, for what no library sends.
enum RawFrames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let size = UInt32(payload.count)
        return [UInt8(size >> 16 & 255), UInt8(size >> 8 & 255), UInt8(size & 255), type, flags]
            + number(stream) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// GET of a path at authority `a`, without Huffman coding and dynamic table.
    static func get(_ path: String) -> [UInt8] {
        [0x82, 0x86, 0x04, UInt8(path.utf8.count)] + Array(path.utf8) + [0x01, 1, UInt8(ascii: "a")]
    }

    /// A HEADERS frame that is the whole request.
    static func request(_ path: String, stream: UInt32) -> [UInt8] { frame(1, 0x5, stream, get(path)) }

    static func reset(_ stream: UInt32) -> [UInt8] { frame(3, 0, stream, number(8)) }
}
