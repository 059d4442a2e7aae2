/// Finds what is numbered from 0 up by a hash of it: open addressing, nothing is taken out by itself.
///
/// It offers candidates, and whoever asks compares them with what is looked for: equality is exact, whatever hashes say. `KeyedHash`
/// makes them, so that nobody who chooses labels can choose collisions.
package struct ProbeTable: Sendable {
    /// A search that is under way.
    package struct Probe {
        fileprivate var slot: Int
        fileprivate let hash: UInt64
    }

    /// An empty table.
    package init() {}

    /// Numbers, -1 where there is none; a power of two of them, at most half of them taken.
    private var slots: [Int32] = []
    /// By number.
    private var hashes: [UInt64] = []

    /// How many things there are; the next one gets this number.
    package var count: Int { hashes.count }

    /// Begins a search.
    package func probe(_ hash: UInt64) -> Probe { Probe(slot: Int(truncatingIfNeeded: hash), hash: hash) }

    /// The next number with the hash of the search; `nil`: there is none any more.
    package func next(_ probe: inout Probe) -> Int? {
        if slots.isEmpty { return nil }
        let mask = slots.count - 1
        while true {
            let number = Int(slots[probe.slot & mask])
            probe.slot &+= 1
            if number < 0 { return nil }
            if hashes[number] == probe.hash { return number }
        }
    }

    /// Adds something that is not there yet. Its number is `count` before.
    package mutating func append(_ hash: UInt64) {
        hashes.append(hash)
        if hashes.count * 2 > slots.count { grow(to: hashes.count) }
        place(hashes.count - 1)
    }

    /// Takes everything out, for others.
    package mutating func removeAll() {
        if hashes.isEmpty { return }
        hashes.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = -1 }
    }

    /// Makes room for so many more.
    mutating func reserve(_ more: Int) {
        hashes.reserveCapacity(hashes.count + more)
        if (hashes.count + more) * 2 > slots.count { grow(to: hashes.count + more) }
    }

    private mutating func grow(to count: Int) {
        var size = max(slots.count, 16)
        while size < count * 2 { size *= 2 }
        slots = Array(repeating: -1, count: size)
        // The one that is being added is placed by its caller.
        for number in hashes.indices { place(number) }
    }

    /// Placing a number a second time is harmless: the search stands still at it.
    private mutating func place(_ number: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hashes[number]) & mask
        while slots[slot] >= 0, slots[slot] != Int32(truncatingIfNeeded: number) { slot = (slot + 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: number)
    }
}
