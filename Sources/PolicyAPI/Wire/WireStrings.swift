/// Shares equal strings: labels, namespaces and names of nodes come again with every object.
///
/// Of bounded size: a string takes the place of the one before it, and that one is then no longer shared.
struct WireStrings: Sendable {
    private static let places = 8_192
    /// Short strings need no memory of their own; long ones are rarely the same.
    private static let lengths = 16...256

    private var shared: [String] = Array(repeating: "", count: places)

    /// The text of valid UTF-8.
    mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
        guard WireStrings.lengths.contains(bytes.count) else { return String(decoding: bytes, as: UTF8.self) }
        var hash: UInt64 = UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            offset += 8
        }
        hash = (hash ^ bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
        let place = Int(truncatingIfNeeded: hash >> 40) & (WireStrings.places - 1)
        let isKnown = shared[place].utf8.withContiguousStorageIfAvailable { known in
            known.count == bytes.count && UnsafeRawBufferPointer(known).elementsEqual(bytes)
        }
        if isKnown == true { return shared[place] }
        let text = String(decoding: bytes, as: UTF8.self)
        shared[place] = text
        return text
    }
}
