/// Room for a number of distinct things that many ask for, and who goes without where they ask for more.
///
/// Whoever asks belongs to an owner, such as a namespace, and what several ask for takes room once: each owner has its share of it. Of
/// the lowest rank the owner with the largest share of the room gives way, with what has most of it, until the rest fits; then what
/// still fits comes back, the latest that went first. So nothing is left out of an owner with no more than an equal part of the room,
/// whatever others ask for, and nobody is who would fit beside the rest.
package struct SharedRoom<Key: Hashable & Comparable & Sendable, Thing: Hashable & Sendable>: Sendable {
    private struct Claim: Sendable {
        var owner: String
        /// `nil`: never left out.
        var rank: Int?
        /// By number, each once.
        var things: [Int32]
    }

    /// What is left of an owner's claims in a rank.
    private struct Owner {
        /// Those that have the largest share last; of equals the one with the larger key.
        var keys: [Key] = []
        /// By number: how many of them ask for it.
        var uses: [Int32: Int32] = [:]
        var share = 0
    }

    /// The share of who has a thing alone.
    private static var whole: Int { 1 << 20 }

    /// How many things there is room for.
    package let limit: Int
    /// How many things are asked for.
    package private(set) var used = 0
    private var claims: [Key: Claim] = [:]
    private var numbers: [Thing: Int32] = [:]
    /// By number: which thing it is, and how many ask for it.
    private var things: [Thing] = []
    private var uses: [Int32] = []
    private var free: [Int32] = []

    /// Room that nobody has asked for.
    package init(limit: Int) { self.limit = limit }

    /// Sets what somebody asks for, things may be repeated; none: nobody of this key asks. O(things).
    ///
    /// - Parameters:
    ///   - key: who.
    ///   - wanted: for what.
    ///   - owner: whose it is.
    ///   - rank: lower ones give way first; `nil`: it is never left out.
    package mutating func set(_ key: Key, _ wanted: some Sequence<Thing>, owner: String, rank: Int?) {
        for number in claims.removeValue(forKey: key)?.things ?? [] { release(number) }
        var seen: Set<Int32> = []
        var own: [Int32] = []
        for thing in wanted {
            let number = number(of: thing)
            if seen.insert(number).inserted { own.append(number) }
        }
        for number in own {
            uses[Int(number)] += 1
            if uses[Int(number)] == 1 { used += 1 }
        }
        if !own.isEmpty { claims[key] = Claim(owner: owner, rank: rank, things: own) }
    }

    /// How many things somebody asks for.
    package func count(of key: Key) -> Int { claims[key]?.things.count ?? 0 }

    /// Who goes without: nobody while everything fits. Depends on what is asked for alone, not on the order in which it was.
    /// O(everything that is asked for).
    package func leftOut() -> Set<Key> {
        if used <= limit { return [] }
        var (uses, used) = (uses, used)
        let shares = makeShares()
        var gone: [Key] = []
        for rank in Set(claims.values.compactMap(\.rank)).sorted() where used > limit {
            var owners = owners(of: rank, shares)
            // The one that gives way last.
            var queue = owners.map { (share: $0.value.share, name: $0.key) }.sorted { $0 < $1 }
            while used > limit, let (_, name) = queue.popLast() {
                guard let key = owners[name]?.keys.popLast(), let claim = claims[key] else { continue }
                gone.append(key)
                for number in claim.things {
                    uses[Int(number)] -= 1
                    if uses[Int(number)] == 0 { used -= 1 }
                    let left = (owners[name]?.uses[number] ?? 1) - 1
                    owners[name]?.uses[number] = left
                    if left == 0 { owners[name]?.share -= shares[Int(number)] }
                }
                guard let owner = owners[name], !owner.keys.isEmpty else { continue }
                queue.insert((owner.share, name), at: SharedRoom.place(of: (owner.share, name), in: queue))
            }
        }
        var leftOut: Set<Key> = []
        for key in gone.reversed() {
            guard let claim = claims[key] else { continue }
            let more = claim.things.count { uses[Int($0)] == 0 }
            if used + more > limit {
                leftOut.insert(key)
                continue
            }
            used += more
            for number in claim.things { uses[Int(number)] += 1 }
        }
        return leftOut
    }

    /// By number: the share that each owner has of it.
    private func makeShares() -> [Int] {
        var owners = Array(repeating: 0, count: things.count)
        for claims in Dictionary(grouping: claims.values, by: \.owner).values {
            for number in Set(claims.lazy.flatMap(\.things)) { owners[Int(number)] += 1 }
        }
        return owners.map { max(1, SharedRoom.whole / max(1, $0)) }
    }

    private func owners(of rank: Int, _ shares: [Int]) -> [String: Owner] {
        var owners: [String: Owner] = [:]
        for (name, found) in Dictionary(grouping: claims.filter({ $0.value.rank == rank }), by: \.value.owner) {
            var owner = Owner()
            var keys: [(share: Int, key: Key)] = []
            for (key, claim) in found {
                keys.append((claim.things.reduce(0) { $0 + shares[Int($1)] }, key))
                for number in claim.things {
                    let uses = owner.uses[number, default: 0] + 1
                    owner.uses[number] = uses
                    if uses == 1 { owner.share += shares[Int(number)] }
                }
            }
            owner.keys = keys.sorted { $0 < $1 }.map(\.key)
            owners[name] = owner
        }
        return owners
    }

    /// Where an owner stands in the queue.
    private static func place(of owner: (Int, String), in queue: [(share: Int, name: String)]) -> Int {
        var (low, high) = (0, queue.count)
        while low < high {
            let middle = (low + high) / 2
            if queue[middle] < owner { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func number(of thing: Thing) -> Int32 {
        if let known = numbers[thing] { return known }
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            things[Int(number)] = thing
        } else {
            number = Int32(truncatingIfNeeded: things.count)
            things.append(thing)
            uses.append(0)
        }
        numbers[thing] = number
        return number
    }

    private mutating func release(_ number: Int32) {
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0 else { return }
        used -= 1
        numbers[things[Int(number)]] = nil
        free.append(number)
    }
}
