import BPFEmit

/// What turns the entries of a peers map into those of an image. Both are sorted by identity.
struct PeersPatch {
    /// Entries that are written.
    private(set) var upserts: [PeerEntry] = []
    /// How many of those are of identities that the map does not have yet.
    private(set) var additions = 0
    /// Identities that go.
    private(set) var removals: [UInt32] = []

    /// O(entries). Mostly a few of thousands differ, so what is the same at both ends is passed over in two simple loops.
    init(from all: PeerTable, to allWanted: PeerTable) {
        var comparison = PeerTable.Comparison(all, allWanted)
        let shorter = min(all.count, allWanted.count)
        var first = 0
        while first < shorter, comparison.areEqual(first, first) { first += 1 }
        var last = 0
        while last < shorter - first, comparison.areEqual(all.count - 1 - last, allWanted.count - 1 - last) {
            last += 1
        }
        let end = all.count - last
        var place = first
        for wanted in first..<allWanted.count - last {
            let identity = allWanted.identity(at: wanted)
            while place < end, all.identity(at: place) < identity {
                removals.append(all.identity(at: place))
                place += 1
            }
            if place < end, all.identity(at: place) == identity {
                if !comparison.hasEqualWords(place, wanted) { upserts.append(allWanted[wanted]) }
                place += 1
            } else {
                upserts.append(allWanted[wanted])
                additions += 1
            }
        }
        for place in place..<end { removals.append(all.identity(at: place)) }
    }

    /// Whether the map has these entries already.
    var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }
}

extension PeerTable {
    /// With these beside them or in the place of those of the same identity; both are sorted.
    func merging(_ upserts: ArraySlice<PeerEntry>) -> PeerTable {
        var result = self
        result.set(upserts.map { ($0.identity, $0) })
        return result
    }
}
