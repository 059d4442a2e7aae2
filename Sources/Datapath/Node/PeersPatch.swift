import BPFEmit

/// What turns the entries of a peers map into those of an image. Both are sorted by identity.
struct PeersPatch {
    /// Entries that are written.
    private(set) var upserts: [PeerEntry] = []
    /// How many of those are of identities that the map does not have yet.
    private(set) var additions = 0
    /// Identities that go.
    private(set) var removals: [UInt32] = []

    /// O(entries); equal ones cost a comparison of their words.
    init(from live: [PeerEntry], to wanted: [PeerEntry]) {
        var place = 0
        for entry in wanted {
            while place < live.count, live[place].identity < entry.identity {
                removals.append(live[place].identity)
                place += 1
            }
            if place < live.count, live[place].identity == entry.identity {
                if live[place].words != entry.words { upserts.append(entry) }
                place += 1
            } else {
                upserts.append(entry)
                additions += 1
            }
        }
        for entry in live[place...] { removals.append(entry.identity) }
    }

    /// Whether the map has these entries already.
    var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }
}

extension [PeerEntry] {
    /// With these beside them or in the place of those of the same identity; both are sorted.
    func merging(_ upserts: ArraySlice<PeerEntry>) -> [PeerEntry] {
        guard !upserts.isEmpty else { return self }
        var result: [PeerEntry] = []
        result.reserveCapacity(count + upserts.count)
        var place = 0
        for entry in upserts {
            while place < count, self[place].identity < entry.identity {
                result.append(self[place])
                place += 1
            }
            if place < count, self[place].identity == entry.identity { place += 1 }
            result.append(entry)
        }
        result += self[place...]
        return result
    }
}
