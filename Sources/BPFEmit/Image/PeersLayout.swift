/// How the kernel holds a `peers` map. The program is the same for both: a lookup by identity that finds rule bits or
/// nothing, and in an array an identity without bits finds none.
///
/// A hash takes 48 bytes of bookkeeping an entry and two or three cache misses a lookup in a large table; an array takes
/// the words of every identity number up to the highest, one cache miss, and no helper call. So an array where it takes no
/// more memory. Policies that name prefixes have identities in the millions and stay with a hash.
public enum PeersLayout: Hashable, Sendable {
    /// A hash with room for so many entries.
    case hash(capacity: Int)
    /// An array of all identity numbers below `capacity`.
    case array(capacity: Int)

    /// The layout for some entries, with a quarter more room than they need, so that new identities need no new map.
    ///
    /// - Parameters:
    ///   - entries: how many identities have bits.
    ///   - highest: the highest of them.
    ///   - words: 64-bit words of an entry.
    public init(entries: Int, highest: UInt32, words: Int) {
        let hash = max(16, entries + entries / 4)
        let array = Int(highest) + 1 + entries / 4
        self =
            array * Self.valueBytes(words: words) <= entries * Self.hashEntryBytes(words: words)
            ? .array(capacity: array) : .hash(capacity: hash)
    }

    /// The layout of an image's own entries.
    public init(_ image: PolicyImage) {
        self.init(entries: image.peers.count, highest: image.peers.last?.identity ?? 0, words: image.words)
    }

    /// Bytes of a key: an identity. The policy program puts it on its stack.
    public static let keyBytes = MemoryLayout<UInt32>.size

    /// Bytes of a value.
    public static func valueBytes(words: Int) -> Int { MemoryLayout<UInt64>.size * words }

    /// Bytes of a hash element: the kernel's own 48, the key rounded up to 8, and the words.
    static func hashEntryBytes(words: Int) -> Int { 48 + 8 + valueBytes(words: words) }
}
