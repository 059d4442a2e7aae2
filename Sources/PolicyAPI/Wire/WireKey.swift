/// A key of a map: where its text is, and enough of it to compare most keys by three numbers.
struct WireKey {
    /// Where its bytes begin.
    let start: Int
    /// Bytes.
    let count: Int
    /// Whether it has escapes: of quotes and backslashes alone, so that equal keys are equal as bytes.
    let hasEscapes: Bool
    /// Its first eight bytes, or all of them, and its last eight.
    let head: UInt64
    let tail: UInt64

    init(_ base: UnsafeRawPointer?, at start: Int, count: Int, hasEscapes: Bool) {
        self.start = start
        self.count = count
        self.hasEscapes = hasEscapes
        guard let base, count > 0 else {
            head = 0
            tail = 0
            return
        }
        if count >= 8 {
            head = base.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            tail = base.loadUnaligned(fromByteOffset: start + count - 8, as: UInt64.self)
        } else {
            var bytes: UInt64 = 0
            for offset in 0..<count {
                bytes = bytes << 8 | UInt64(base.load(fromByteOffset: start + offset, as: UInt8.self))
            }
            head = bytes
            tail = 0
        }
    }

    /// A name to compare keys with.
    init(_ name: String) {
        let bytes = Array(name.utf8)
        self = bytes.withUnsafeBytes { WireKey($0.baseAddress, at: 0, count: $0.count, hasEscapes: false) }
    }

    /// Whether another key may be the same. Of keys up to 16 bytes it is.
    @inline(__always)
    func mayEqual(_ other: WireKey) -> Bool { head == other.head && tail == other.tail && count == other.count }
}
