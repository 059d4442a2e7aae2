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

    /// One setting.
    static func setting(_ number: UInt8, _ value: UInt32) -> [UInt8] {
        frame(4, 0, 0, [0, number] + self.number(value))
    }

    /// WINDOW_UPDATE by one byte.
    static func grant(_ stream: UInt32) -> [UInt8] { frame(8, 0, stream, number(1)) }

    /// POST of `/` without its end.
    static func post(_ stream: UInt32) -> [UInt8] { frame(1, 0x4, stream, [0x83, 0x86, 0x84, 0x01, 1, 0x61]) }

    /// A response's head of this status: 100 and 200 are what servers answer with.
    static func status(_ status: Int, stream: UInt32, ends: Bool = false) -> [UInt8] {
        frame(1, ends ? 0x5 : 0x4, stream, status == 200 ? [0x88] : [0x08, 3] + Array("\(status)".utf8))
    }

    /// So many of a frame.
    static func many(_ count: Int, _ frame: [UInt8]) -> [UInt8] { Array((0..<count).map { _ in frame }.joined()) }

    /// The whole frames in these bytes.
    static func split(_ bytes: [UInt8]) -> [(type: UInt8, stream: UInt32, payload: [UInt8])] {
        var frames: [(type: UInt8, stream: UInt32, payload: [UInt8])] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let size = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + size else { break }
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append((head[3], stream, Array(rest.dropFirst(9).prefix(size))))
            rest = rest.dropFirst(9 + size)
        }
        return frames
    }
}
