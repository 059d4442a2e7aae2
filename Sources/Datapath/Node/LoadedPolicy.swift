package import BPFEmit

/// A policy program in the kernel with its peers map, and what is in that map.
package final class LoadedPolicy {
    /// What it was made from. Its `peers` are what they were at load; `peers` of this object is what they are.
    let image: PolicyImage
    /// Its counters; `nil` when np_rule_hits had no room.
    let hits: RuleHitIndex.Entry?
    package let program: BPFProgram
    private let map: BPFMap?
    private let layout: PeersLayout
    /// The entries of the live map.
    private(set) var peers: [UInt32: [UInt64]]
    /// The same as an image has them; `nil` on the way from one image to the next. An image in which they did not change
    /// shares their storage, so comparing costs nothing then.
    private var settled: [PeerEntry]?

    /// Loads a policy, off the path of packets.
    ///
    /// - Parameters:
    ///   - image: the program and the entries of its peers map.
    ///   - transitional: entries beside those of the image, for identities that addresses still have.
    ///   - name: of the program in the kernel, and in errors.
    ///   - hits: the program's counters in np_rule_hits; `nil` when there was no room.
    ///   - steps: np_steps.
    /// - Throws: when the peers map cannot be made or filled, or the program is refused.
    package init(
        _ image: PolicyImage, transitional: [UInt32: [UInt64]], name: String, hits: RuleHitIndex.Entry?, steps: BPFMap
    ) throws(BPFError) {
        self.image = image
        self.hits = hits
        var peers = Dictionary(image.peers.map { ($0.identity, $0.words) }) { first, _ in first }
        peers.merge(transitional) { own, _ in own }
        layout = PeersLayout(entries: peers.count, highest: peers.keys.max() ?? 0, words: image.words)
        if image.words > 0 {
            let map = try BPFMap(peers: layout, words: image.words)
            try map.setWords(peers.sorted { $0.key < $1.key }.map { (key: $0.key, words: $0.value) })
            self.map = map
            self.peers = peers
        } else {
            self.map = nil
            self.peers = [:]
        }
        settled = transitional.isEmpty ? image.peers : nil
        var maps: [MapSymbol: BPFMap] = [.steps: steps]
        maps[.peers] = map
        self.program = try BPFProgram(image.program, name: name, hitBase: hits?.base ?? 0, maps: maps)
    }

    /// Whether the live map can be brought to another image's entries: same code, same meaning of its bits, and room.
    func canBecome(_ other: PolicyImage) -> Bool {
        guard image.program == other.program, image.bits == other.bits, image.words == other.words,
            image.columns == other.columns, image.names == other.names
        else { return false }
        guard map != nil, settled != other.peers else { return true }
        switch layout {
        case .hash(let capacity):
            let additions = other.peers.count { peers[$0.identity] == nil }
            return peers.count + additions <= capacity
        case .array(let capacity):
            // A hash replaces an entry in one piece, an array word by word: a packet could see half of a change.
            let isWhole = { (entry: PeerEntry) in
                other.words <= 1 || self.peers[entry.identity] ?? entry.words == entry.words
            }
            return other.peers.allSatisfy { Int($0.identity) < capacity && isWhole($0) }
        }
    }

    /// Whether bringing the live map to the other image would change anything.
    func differs(from other: PolicyImage) -> Bool {
        guard map != nil, settled != other.peers else { return false }
        return other.peers.count != peers.count || other.peers.contains { peers[$0.identity] != $0.words }
    }

    /// Adds and changes entries to those of an image; removes none. Each entry changes in one piece.
    ///
    /// - Returns: the number written.
    func widen(to other: PolicyImage) throws(BPFError) -> Int {
        guard let map, settled != other.peers else { return 0 }
        settled = nil
        let changes = other.peers.filter { peers[$0.identity] != $0.words }
        for entry in changes {
            try map.setWords(entry.identity, entry.words)
            peers[entry.identity] = entry.words
        }
        return changes.count
    }

    /// Removes the entries that an image does not have.
    ///
    /// - Returns: the number removed.
    func narrow(to other: PolicyImage) throws(BPFError) -> Int {
        guard let map, settled != other.peers else { return 0 }
        guard peers.count > other.peers.count else {
            settled = other.peers
            return 0
        }
        let kept = Set(other.peers.map(\.identity))
        let surplus = peers.keys.filter { !kept.contains($0) }.sorted()
        for identity in surplus {
            // Nobody asks for these identities any more, so the words of an array may go one by one.
            switch layout {
            case .hash: try map.remove(identity)
            case .array: try map.setWords(identity, [UInt64](repeating: 0, count: image.words))
            }
            peers[identity] = nil
        }
        settled = other.peers
        return surplus.count
    }

    /// Kernel memory of the peers map, bytes.
    var memoryBytes: Int { map?.memoryBytes ?? 0 }
    /// Most entries of the peers map.
    var capacity: Int { map?.shape.capacity ?? 0 }
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
}
