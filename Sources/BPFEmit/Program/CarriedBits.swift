/// Pass 2, trim words: the bits that at least one entry of `peers`, or a column of names, carries.
///
/// Afterwards the last word is not 0. Without words nobody is told apart.
struct CarriedBits: Equatable {
    /// The union of all entries and columns.
    let words: [UInt64]

    /// - Complexity: O(words of `peers`).
    init(_ policy: PolicyBits) {
        var union = [UInt64](repeating: 0, count: policy.words)
        for entry in policy.peers {
            for (word, value) in entry.words.enumerated() where value != 0 { union[word] |= value }
        }
        for column in policy.columns {
            for (word, value) in column.words.enumerated() where value != 0 { union[word] |= value }
        }
        while union.last == 0 { union.removeLast() }
        words = union
    }

    /// A union that is already made.
    init(words: [UInt64]) { self.words = words }

    /// Whether somebody carries a bit.
    func contains(_ bit: Int) -> Bool { bit / 64 < words.count && words[bit / 64] >> UInt64(bit % 64) & 1 == 1 }

    /// The entries of `peers` with as many words each as there are here.
    ///
    /// - Complexity: O(entries); entries of another width are copied.
    func trimmed(_ peers: [PeerEntry]) -> [PeerEntry] {
        peers.map { PeerEntry(identity: $0.identity, words: trimmed($0.words)) }
    }

    /// As many words as there are here.
    func trimmed(_ entry: [UInt64]) -> [UInt64] {
        // The usual case keeps the array, which many entries share.
        if entry.count == words.count { return entry }
        return Array(entry.prefix(words.count)) + [UInt64](repeating: 0, count: max(words.count - entry.count, 0))
    }
}
