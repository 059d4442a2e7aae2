import BPFEmit

/// A peers map in the kernel and what is in it. Two policies have one map for as long as the second takes the place of the first,
/// and only if it has the entries of both.
final class LoadedPeers {
    private let map: BPFMap
    private let layout: PeersLayout
    let words: Int
    /// The entries of the live map, sorted by identity. An image in which they did not change shares their storage, so comparing
    /// costs nothing then.
    private(set) var entries: PeerTable
    /// What was asked for last, so that planning, widening and narrowing compare once.
    private var known: (wanted: PeerTable, patch: PeersPatch)?

    /// A new map with entries, off the path of packets.
    ///
    /// - Parameters:
    ///   - entries: sorted by identity.
    ///   - words: 64-bit words of a value, at least one.
    /// - Throws: when the map cannot be made or filled.
    init(_ entries: PeerTable, words: Int) throws(BPFError) {
        layout = PeersLayout(entries: entries.count, highest: entries.last?.identity ?? 0, words: words)
        map = try BPFMap(peers: layout, words: words)
        self.words = words
        self.entries = entries
        try map.setWords(entries)
    }

    /// For programs.
    var symbolMap: BPFMap { map }
    /// Kernel memory, bytes.
    var memoryBytes: Int { map.memoryBytes ?? 0 }
    /// Most entries.
    var capacity: Int { map.shape.capacity }

    /// What is to be done to get to an image's entries.
    private func patch(to wanted: PeerTable) -> PeersPatch {
        if let known, known.wanted == wanted { return known.patch }
        let patch = PeersPatch(from: entries, to: wanted)
        known = (wanted, patch)
        return patch
    }

    /// Whether the live map has exactly these entries.
    func has(_ wanted: PeerTable) -> Bool { entries == wanted }

    /// Whether the live map can be brought to these entries, each in one piece, with room for old and new together.
    func canBecome(_ wanted: PeerTable) -> Bool {
        guard !has(wanted) else { return true }
        let patch = patch(to: wanted)
        switch layout {
        case .hash(let capacity): return entries.count + patch.additions <= capacity
        case .array(let capacity):
            // A hash replaces an entry in one piece, an array word by word: a packet could see half of a change.
            return patch.upserts.allSatisfy { Int($0.identity) < capacity }
                && (words <= 1 || patch.additions == patch.upserts.count)
        }
    }

    /// Whether bringing the live map to these entries changes anything.
    func differs(from wanted: PeerTable) -> Bool { !has(wanted) && !patch(to: wanted).isEmpty }

    /// Adds and changes entries; removes none. Each entry changes in one piece.
    ///
    /// - Returns: the number written.
    func widen(to wanted: PeerTable) throws(BPFError) -> Int {
        guard !has(wanted) else { return 0 }
        let patch = patch(to: wanted)
        var written = 0
        defer {
            entries =
                written == patch.upserts.count && patch.removals.isEmpty
                ? wanted : entries.merging(patch.upserts[..<written])
            if written < patch.upserts.count || patch.removals.isEmpty { known = nil }
        }
        for entry in patch.upserts {
            try map.setWords(entry.identity, entry.words)
            written += 1
        }
        return written
    }

    /// Removes the entries of other identities.
    ///
    /// - Returns: the number removed.
    func narrow(to wanted: PeerTable) throws(BPFError) -> Int {
        guard !has(wanted) else { return 0 }
        let removals = patch(to: wanted).removals
        // What is left after an error is compared again.
        known = nil
        for identity in removals {
            // Nobody asks for these identities any more, so the words of an array may go one by one.
            switch layout {
            case .hash: try map.remove(identity)
            case .array: try map.setWords(identity, [UInt64](repeating: 0, count: words))
            }
        }
        entries.set(removals.map { ($0, nil) })
        if entries == wanted { entries = wanted }
        return removals.count
    }
}

extension BPFMap {
    /// A new peers map.
    fileprivate convenience init(peers layout: PeersLayout, words: Int) throws(BPFError) {
        switch layout {
        case .hash(let capacity):
            try self.init(
                hash: "np_peers", keySize: PeersLayout.keyBytes, valueSize: PeersLayout.valueBytes(words: words),
                capacity: capacity)
        case .array(let capacity):
            try self.init(
                array: "np_peers", valueSize: PeersLayout.valueBytes(words: words), capacity: capacity)
        }
    }

    /// Adds or replaces entries of a peers map.
    fileprivate func setWords(_ entries: PeerTable) throws(BPFError) {
        try setWords(entries.map { (key: $0.identity, words: $0.words) })
    }
}
