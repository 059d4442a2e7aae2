/// Looks at eight bytes at a time.
enum WordScan {
    /// The highest bit of each byte.
    static let highs: UInt64 = 0x8080_8080_8080_8080
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Marks the highest bit of the bytes that are `byte`. Above the lowest mark there may be wrong ones, and other bits mean nothing.
    @inline(__always)
    static func marks(_ word: UInt64, equalTo byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference
    }

    /// The same for bytes below `limit`, which is at most 128.
    @inline(__always)
    static func marks(_ word: UInt64, below limit: UInt8) -> UInt64 { (word &- ones &* UInt64(limit)) & ~word }
}
