/// A lookup table that spreads connections over backends evenly, and moves few of them when a backend comes or goes.
///
/// The algorithm is that of "Maglev: A Fast and Reliable Software Network Load Balancer" (2016), 3.4: each backend has a
/// permutation of the table's entries, from a hash of its address and port, and the backends take turns at the next entry of theirs
/// that is free. So nodes agree, whatever order they learn of the backends in.
public enum MaglevTable {
    /// The sizes of tables. Primes, so that every step of a permutation reaches every entry.
    static let sizes = [31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521]

    /// How many entries a backend has at least, if the largest table allows it: shares differ by as much at most as one in so
    /// many.
    static let entriesPerBackend = 32

    /// The size of a table for a number of backends: at least `entriesPerBackend` times as many, as long as there is such a
    /// size. 1 for a single backend, 0 for none.
    public static func size(backends: Int) -> Int {
        if backends <= 1 { return backends }
        return sizes.first { $0 >= backends * entriesPerBackend } ?? sizes[sizes.count - 1]
    }

    /// Smaller sizes, largest first, that still give every backend an entry or more: for when there is no room.
    public static func coarserSizes(than size: Int, backends: Int) -> [Int] {
        sizes.filter { $0 < size && $0 >= backends * 2 }.reversed()
    }

    /// The table of some backends.
    ///
    /// - Parameters:
    ///   - backends: those to choose from, each once, in any order.
    ///   - size: a prime, or at most 1; `nil`: that of `size(backends:)`.
    /// - Returns: for each entry the index of a backend in `backends`; empty for no backends.
    public static func entries(_ backends: [ServiceBackend], size: Int? = nil) -> [Int] {
        let size = size ?? self.size(backends: backends.count)
        guard size > 0, !backends.isEmpty else { return [] }
        // Whoever comes first in a round has an entry more: by address and port, as everything here.
        let turns = backends.indices.sorted { backends[$0] < backends[$1] }
        let skips = turns.map {
            MaglevTable.hash(backends[$0], seed: 0x9e37_79b9_7f4a_7c15) % UInt64(max(size - 1, 1)) + 1
        }
        var places = turns.map { MaglevTable.hash(backends[$0], seed: 0) % UInt64(size) }
        var entries = [Int](repeating: -1, count: size)
        var free = size
        while true {
            for (turn, index) in turns.enumerated() {
                while entries[Int(places[turn])] >= 0 { places[turn] = (places[turn] + skips[turn]) % UInt64(size) }
                entries[Int(places[turn])] = index
                free -= 1
                if free == 0 { return entries }
            }
        }
    }

    /// A mix of address and port. Fixed for ever: nodes with different versions of netpold agree too.
    static func hash(_ backend: ServiceBackend, seed: UInt64) -> UInt64 {
        var state = seed
        for word in [backend.address.high, backend.address.low, UInt64(backend.port)] {
            state = (state ^ word) &* 0x9fb2_1c65_1e98_df25
            state ^= state >> 32
            state = state &* 0xd6e8_feb8_6659_fd93
            state ^= state >> 29
        }
        return state
    }
}
