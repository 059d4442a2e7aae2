import CNetpoldABI
package import NetTypes
package import PolicyAPI

/// What each counter of np_rule_hits stands for at one moment: a value, to be kept beside the events of that time.
public struct RuleHitIndex: Sendable {
    /// The counters of one program.
    package struct Entry: Hashable, Sendable {
        /// Never 0: that means "no counters" to a program.
        package let base: UInt32
        /// How many there are.
        package let count: Int
        let subject: String
        let direction: Direction
        let bits: [RuleBit]
        let isolatedBy: [RuleOrigin]
        /// Of no program of this process: see `keep`.
        package var isKept = false

        /// The direction of the program.
        package var programDirection: Direction { direction }

        /// Whether others than programs may go by its base: names, and the proxy.
        package var isNamed: Bool { isKept || bits.contains(where: \.isL7) }

        var end: UInt32 { base + UInt32(count) }

        /// What the counter at an offset from the base counts.
        package func key(offset: Int) -> RuleHitKey? {
            if isKept { return nil }
            let meaning: HitMeaning
            switch offset {
            case Int(NP_HIT_DEFAULT_DENY): meaning = .defaultDeny(isolatedBy: isolatedBy)
            case Int(NP_HIT_DEFAULT_ALLOW): meaning = .defaultAllow
            case Int(NP_HIT_HOST): meaning = .host
            default:
                let bit = offset - Int(NP_HIT_FIRST_RULE)
                guard bits.indices.contains(bit) else { return nil }
                meaning = .rule(bits[bit])
            }
            return RuleHitKey(subject: subject, direction: direction, meaning: meaning)
        }
    }

    /// By base, without overlaps.
    package private(set) var entries: [Entry] = []

    /// No counters.
    package init() {}

    /// What a counter stands for; `nil` for one that no program has. O(log programs).
    public func meaning(of index: UInt32) -> RuleHitKey? {
        entry(of: index).flatMap { $0.key(offset: Int(index - $0.base)) }
    }

    /// The L7 rules of a program that some bits stand for, in its one word that has such rules.
    package func l7Rules(of base: UInt32, bits: UInt64) -> [RuleBit] {
        guard let entry = entry(of: base), entry.base == base else { return [] }
        let width = Int(NP_BITS_PER_WORD)
        for first in stride(from: 0, to: entry.bits.count, by: width) {
            let rules = entry.bits[first..<min(first + width, entry.bits.count)].enumerated().filter { bit, rule in
                rule.isL7 && bits >> UInt64(bit) & 1 == 1
            }.map(\.element)
            if !rules.isEmpty { return rules }
        }
        return []
    }

    /// Whose counter an index is.
    package func entry(of index: UInt32) -> Entry? {
        let position = firstEntry { $0.base > index }
        guard position > 0, index < entries[position - 1].end else { return nil }
        return entries[position - 1]
    }

    /// Takes the lowest free range below `capacity`; `nil` when there is none long enough.
    package mutating func take(
        count: Int, capacity: Int, subject: String, direction: Direction, bits: [RuleBit], isolatedBy: [RuleOrigin] = []
    ) -> Entry? {
        var base: UInt32 = 1
        var position = 0
        while position < entries.count, Int(entries[position].base - base) < count {
            base = entries[position].end
            position += 1
        }
        guard Int(base) + count <= capacity else { return nil }
        let entry = Entry(
            base: base, count: count, subject: subject, direction: direction, bits: bits, isolatedBy: isolatedBy)
        entries.insert(entry, at: position)
        return entry
    }

    /// Keeps numbers from being the base of a program: those of an earlier process still run under them. Of an index without entries.
    package mutating func keep(_ bases: Set<UInt32>) {
        entries = bases.sorted().map { base in
            Entry(base: base, count: 1, subject: "", direction: .ingress, bits: [], isolatedBy: [], isKept: true)
        }
    }

    /// Gives the numbers back that were kept, but for some.
    package mutating func releaseKept(except named: Set<UInt32>) {
        entries.removeAll { $0.isKept && !named.contains($0.base) }
    }

    /// Gives a range back.
    package mutating func remove(_ entry: Entry) {
        let position = firstEntry { $0.base >= entry.base }
        if position < entries.count, entries[position].base == entry.base { entries.remove(at: position) }
    }

    /// Number of leading entries for which the predicate, once true, stays true.
    private func firstEntry(where predicate: (Entry) -> Bool) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if predicate(entries[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
