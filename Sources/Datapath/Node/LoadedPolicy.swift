package import BPFEmit
import NetTypes

/// A policy program in the kernel with its peers map, and what is in that map.
package final class LoadedPolicy {
    /// What the kernel refused to load, and why, where this policy is in its place and allows nothing.
    let refused: (image: PolicyImage, error: BPFError)?
    /// What it was made from, without `peers`: those of this object change, and as they were at load nobody asks for them.
    let image: PolicyImage
    /// Its counters; `nil` when np_rule_hits had no room.
    let hits: RuleHitIndex.Entry?
    package let program: BPFProgram
    /// Its peers map; `nil` where no bit is carried by identity.
    let table: LoadedPeers?

    /// Loads a policy, off the path of packets.
    ///
    /// - Parameters:
    ///   - image: the program and the entries of its peers map.
    ///   - transitional: entries beside those of the image, for identities that addresses still have.
    ///   - predecessor: the policy whose place it is to take, if that alone has its map. It keeps the map if the entries are the same:
    ///     filling a new one costs more than the verifier.
    ///   - name: of the program in the kernel, and in errors.
    ///   - hits: the program's counters in np_rule_hits; `nil` when there was no room.
    /// - Throws: when the peers map cannot be made or filled, or the program is refused.
    package init(
        _ image: PolicyImage, transitional: [UInt32: [UInt64]], inPlaceOf predecessor: LoadedPolicy? = nil,
        name: String,
        hits: RuleHitIndex.Entry?
    ) throws(BPFError) {
        var known = image
        known.peers = []
        self.image = known
        self.refused = nil
        self.hits = hits
        if image.words == 0 {
            table = nil
        } else if let known = predecessor?.table, transitional.isEmpty, known.words == image.words,
            known.has(image.peers)
        {
            table = known
        } else {
            let beside = transitional.filter { identity, _ in image.peers.words(of: identity) == nil }
                .map { PeerEntry(identity: $0.key, words: $0.value) }.sorted { $0.identity < $1.identity }
            table = try LoadedPeers(image.peers.merging(beside[...]), words: image.words)
        }
        let maps: [MapSymbol: BPFMap] = table.map { [.peers: $0.symbolMap] } ?? [:]
        self.program = try BPFProgram(image.program, name: name, hitBase: hits?.base ?? 0, maps: maps)
    }

    /// A policy that allows nothing, in place of one whose program the kernel refused. It counts where that one would have counted.
    init(
        inPlaceOf image: PolicyImage, _ direction: Direction, _ refusal: BPFError, hits: RuleHitIndex.Entry?
    ) throws(BPFError) {
        let closed: PolicyImage
        do {
            // One that nobody isolates would be open.
            let origins = image.isolatedBy.isEmpty ? image.bits.prefix(1).map(\.origin) : image.isolatedBy
            guard !origins.isEmpty else { throw refusal }
            closed = try PolicyEmitter.emit(
                PolicyBits(direction: direction, isolatedBy: origins, bits: [], hostBit: nil, peers: []))
        } catch {
            throw refusal
        }
        self.image = closed
        self.refused = (image, refusal)
        self.hits = hits
        self.table = nil
        self.program = try BPFProgram(closed.program, name: "np_refused", hitBase: hits?.base ?? 0, maps: [:])
    }

    /// Whether the live map can be brought to another image's entries: same code, same meaning of its bits, and room. What the kernel has
    /// refused it would refuse again.
    func canBecome(_ other: PolicyImage) -> Bool {
        let image = refused?.image ?? image
        guard image.program == other.program, image.bits == other.bits, image.words == other.words,
            image.columns == other.columns, image.names == other.names
        else { return false }
        return table?.canBecome(other.peers) ?? true
    }

    /// Whether bringing the live map to the other image would change anything.
    func differs(from other: PolicyImage) -> Bool { table?.differs(from: other.peers) ?? false }

    /// Adds and changes entries to those of an image; removes none. Each entry changes in one piece.
    ///
    /// - Returns: the number written.
    func widen(to other: PolicyImage) throws(BPFError) -> Int { try table?.widen(to: other.peers) ?? 0 }

    /// Removes the entries that an image does not have.
    ///
    /// - Returns: the number removed.
    func narrow(to other: PolicyImage) throws(BPFError) -> Int { try table?.narrow(to: other.peers) ?? 0 }

    /// The entries of the live map, sorted by identity.
    var peers: PeerTable { table?.entries ?? [] }
    /// Kernel memory of the peers map, bytes.
    var memoryBytes: Int { table?.memoryBytes ?? 0 }
    /// Most entries of the peers map.
    var capacity: Int { table?.capacity ?? 0 }
}
