/// The eight bytes of `HTTP/1.0` and `HTTP/1.1`.
enum HTTPVersion {
    /// Whether a byte may stand at an index from 0 to 7.
    @inline(__always)
    static func isByte(_ byte: UInt8, at index: Int) -> Bool {
        switch index {
        case 0: byte == UInt8(ascii: "H")
        case 1, 2: byte == UInt8(ascii: "T")
        case 3: byte == UInt8(ascii: "P")
        case 4: byte == Byte.slash
        case 5: byte == Byte.zero + 1
        case 6: byte == Byte.dot
        default: byte == Byte.zero || byte == Byte.zero + 1
        }
    }
}
