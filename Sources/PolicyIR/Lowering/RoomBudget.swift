/// What many ask for of a `SharedRoom`, counted only where it may not fit: while the sum of what each asks for is within the limit, that
/// sum is all that is kept.
package struct RoomBudget<Key: Hashable & Comparable & Sendable, Thing: Hashable & Sendable>: Sendable {
    /// What somebody asks for, as in `SharedRoom.set`.
    package typealias Claim = (things: [Thing], owner: String, rank: Int?)

    /// How many distinct things there is room for.
    package let limit: Int
    /// By who asks for any: how many, repetitions included.
    private var counts: [Key: Int] = [:]
    private var sum = 0
    /// Only while the sum is beyond the limit.
    private var room: SharedRoom<Key, Thing>?
    /// Whether what anybody asks for has changed since `settle` was called last.
    private var isStale = false
    /// Who goes without.
    package private(set) var leftOut: Set<Key> = []

    /// Nobody has asked for anything.
    package init(limit: Int) { self.limit = limit }

    /// Sets what somebody asks for. O(1), or O(things) where they are counted.
    ///
    /// - Parameters:
    ///   - key: who.
    ///   - count: how many things, repetitions included.
    ///   - claim: which; only asked for where they are counted.
    package mutating func set(_ key: Key, count: Int, _ claim: @autoclosure () -> Claim) {
        let before = counts[key] ?? 0
        if count == 0, before == 0 { return }
        isStale = true
        counts[key] = count == 0 ? nil : count
        sum += count - before
        if room != nil { set(key, claim()) }
    }

    /// Finds out who goes without, and returns those of whom that was not so, or is not any more. `claim` says what somebody asks for.
    ///
    /// O(1) where nothing was set, or where everything fits; O(everything that is asked for) where it does not.
    package mutating func settle(_ claim: (Key) -> Claim) -> Set<Key> {
        guard isStale else { return [] }
        isStale = false
        if sum <= limit {
            room = nil
        } else if room == nil {
            room = SharedRoom(limit: limit)
            for key in counts.keys { set(key, claim(key)) }
        }
        let now = room?.leftOut() ?? []
        defer { leftOut = now }
        return leftOut.symmetricDifference(now)
    }

    /// How many distinct things somebody asks for; 0 while they are not counted.
    package func count(of key: Key) -> Int { room?.count(of: key) ?? 0 }

    private mutating func set(_ key: Key, _ claim: Claim) {
        room?.set(key, claim.things, owner: claim.owner, rank: claim.rank)
    }
}
