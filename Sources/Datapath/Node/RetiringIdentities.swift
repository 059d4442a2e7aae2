import Algorithms
import BPFEmit
import NetTypes

/// Identities that addresses still have in the kernel and that an image does not know any more.
///
/// Between the moment a new program is in place and the moment the addresses have their new identities, packets reach
/// the new program with the old number. A program that knew nothing of it would miss the deny rules that held before
/// and will hold after. So the new peers map carries the old number too, for that moment, with the bits of the
/// identities its addresses are about to get.
struct RetiringIdentities {
    /// For each of them, which identities its addresses will have.
    let successors: [UInt32: Set<UInt32>]

    /// Only what an address or prefix had that changes can retire: O(changes) where nothing does, else O(entries).
    init(to image: NodeImage, by change: TableChange) {
        // Where the node answers beside others, programs are asked by the identity without the mark.
        var former = Set(change.formerAddresses.map(\.unmarkedIdentity))
        former.formUnion(change.formerPrefixes.map(\.identity))
        if !former.isEmpty {
            for entry in image.addresses where former.contains(entry.unmarkedIdentity) {
                former.remove(entry.unmarkedIdentity)
                if former.isEmpty { break }
            }
            for entry in image.prefixes { former.remove(entry.identity) }
        }
        guard !former.isEmpty else {
            successors = [:]
            return
        }
        var successors: [UInt32: Set<UInt32>] = [:]
        let target = IdentityTable(image)
        for entry in change.formerAddresses where former.contains(entry.unmarkedIdentity) {
            let next = AddressEntry(address: entry.address, identity: target.identity(of: entry.address))
            successors[entry.unmarkedIdentity, default: []].insert(next.unmarkedIdentity)
        }
        // What of a prefix becomes an entry of its own goes there; the rest goes to what the prefix itself becomes.
        let carved =
            (change.prefixUpserts.map { (prefix: $0.prefix, identity: $0.identity) }
            + change.addressUpserts.map { (prefix: IPPrefix(host: $0.address), identity: $0.unmarkedIdentity) })
            .sorted { $0.prefix < $1.prefix }
        for entry in change.formerPrefixes where former.contains(entry.identity) {
            successors[entry.identity, default: []].insert(target.identity(of: entry.prefix))
            for part in carved[carved.partitioningIndex { $0.prefix.address >= entry.prefix.address }...] {
                guard part.prefix.address <= entry.prefix.lastAddress else { break }
                if entry.prefix.contains(part.prefix) { successors[entry.identity, default: []].insert(part.identity) }
            }
        }
        self.successors = successors
    }

    /// The entries of the retiring identities for a new peers map.
    func transitionalEntries(for image: PolicyImage) -> [UInt32: [UInt64]] {
        guard image.words > 0, !successors.isEmpty else { return [:] }
        let words = Dictionary(image.peers.map { ($0.identity, $0.words) }) { first, _ in first }
        let none = [UInt64](repeating: 0, count: image.words)
        var denies = none
        for (bit, rule) in image.bits.enumerated() where rule.action == .deny {
            denies[bit / 64] |= 1 << UInt64(bit % 64)
        }
        var entries: [UInt32: [UInt64]] = [:]
        for (identity, successors) in successors {
            // Several fates: a deny of any of them denies, an allow must be of all.
            let rows = successors.map { words[$0] ?? none }
            let row = (0..<image.words).map { word in
                rows.reduce(0) { $0 | $1[word] } & denies[word]
                    | rows.reduce(UInt64.max) { $0 & $1[word] } & ~denies[word]
            }
            if row.contains(where: { $0 != 0 }) { entries[identity] = row }
        }
        return entries
    }
}
