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
    init(from all: [PeerEntry], to allWanted: [PeerEntry]) {
        let ends = PeersPatch.equalEnds(all, allWanted)
        let live = all[ends.first..<all.count - ends.last]
        let wanted = allWanted[ends.first..<allWanted.count - ends.last]
        var place = live.startIndex
        for entry in wanted {
            while place < live.endIndex, live[place].identity < entry.identity {
                removals.append(live[place].identity)
                place += 1
            }
            if place < live.endIndex, live[place].identity == entry.identity {
                if live[place].words != entry.words { upserts.append(entry) }
                place += 1
            } else {
                upserts.append(entry)
                additions += 1
            }
        }
        for entry in live[place...] { removals.append(entry.identity) }
    }

    /// How many entries are the same at the beginning and, of the others, at the end.
    private static func equalEnds(_ left: [PeerEntry], _ right: [PeerEntry]) -> (first: Int, last: Int) {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                let shorter = min(left.count, right.count)
                var first = 0
                while first < shorter, left[first].isSame(as: right[first]) { first += 1 }
                var last = 0
                while last < shorter - first, left[left.count - 1 - last].isSame(as: right[right.count - 1 - last]) {
                    last += 1
                }
                return (first, last)
            }
        }
    }

    /// Whether the map has these entries already.
    var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }
}

extension PeerEntry {
    /// Whether nothing differs. Equal words are mostly one array, which is told without a look at it.
    fileprivate func isSame(as other: PeerEntry) -> Bool {
        identity == other.identity
            && (unsafeBitCast(words, to: UInt.self) == unsafeBitCast(other.words, to: UInt.self)
                || words == other.words)
    }
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
