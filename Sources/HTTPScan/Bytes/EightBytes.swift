/// Eight bytes in one word, for runs of bytes that need no look one by one. (Swift 6.3 makes single steps of SIMD vectors of bytes.)
public struct EightBytes {
    @usableFromInline let word: UInt64

    /// Those from an offset on, which must all be in the buffer.
    @inlinable
    @inline(__always)
    public init?(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) {
        guard offset >= 0, offset + 8 <= bytes.count, let base = bytes.baseAddress else { return nil }
        word = UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self)
    }

    /// Whether one is a control character of ASCII.
    @inlinable
    @inline(__always)
    public var hasControl: Bool {
        // A byte below 0x20 borrows into its highest bit; a borrow from the byte before it needs such a byte there.
        (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080 != 0 || has(0x7f)
    }

    /// Whether one is this byte.
    @inlinable
    @inline(__always)
    public func has(_ byte: UInt8) -> Bool {
        let other = word ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
        return (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080 != 0
    }
}
