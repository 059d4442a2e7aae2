import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

@Suite("Maglev tables")
struct MaglevTableTests {
    private func backends(_ count: Int, from first: UInt32 = 0x0a00_0001) -> [ServiceBackend] {
        (0..<UInt32(count)).map { ServiceBackend(address: IPAddress(ipv4: first + $0), port: 8080) }
    }

    @Test("sizes are primes, at least 32 entries for each backend as long as the largest is enough")
    func sizes() {
        for count in 2...2047 {
            let size = MaglevTable.size(backends: count)
            #expect(size >= 32 * count || size == 65521)
            #expect(!(2..<size).prefix { $0 * $0 <= size }.contains { size % $0 == 0 }, "\(size) is not a prime")
        }
        #expect(MaglevTable.size(backends: 0) == 0 && MaglevTable.size(backends: 1) == 1)
        #expect(MaglevTable.entries([]).isEmpty && MaglevTable.entries(backends(1)) == [0])
    }

    @Test("shares differ by one entry at most: turns are taken", arguments: [1, 2, 3, 7, 10, 100, 1000])
    func balance(count: Int) {
        let entries = MaglevTable.entries(backends(count))
        var shares = [Int](repeating: 0, count: count)
        for entry in entries { shares[entry] += 1 }
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
        #expect(shares.reduce(0, +) == MaglevTable.size(backends: count))
    }

    @Test("the table hangs on addresses and ports, not on their order: nodes agree")
    func order() {
        var random = SplitMix64(seed: 7)
        let sorted = backends(50)
        let wanted = MaglevTable.entries(sorted).map { sorted[$0] }
        for _ in 0..<10 {
            let shuffled = sorted.shuffled(using: &random)
            #expect(MaglevTable.entries(shuffled).map { shuffled[$0] } == wanted)
        }
    }

    @Test("another port is another backend")
    func port() {
        let one = [
            ServiceBackend(address: IPAddress(ipv4: 1), port: 80),
            ServiceBackend(address: IPAddress(ipv4: 1), port: 81),
        ]
        #expect(Set(MaglevTable.entries(one)) == [0, 1])
    }

    @Test("a backend that goes moves its own entries, and few others", arguments: [10, 50, 200])
    func disruption(count: Int) {
        let before = backends(count)
        let size = MaglevTable.size(backends: count)
        let table = MaglevTable.entries(before, size: size)
        for gone in [0, count / 2, count - 1] {
            var after = before
            after.remove(at: gone)
            let next = MaglevTable.entries(after, size: size)
            var moved = 0
            for (old, new) in zip(table, next) where before[old] != before[gone] && before[old] != after[new] {
                moved += 1
            }
            // The paper's figure for tables of this density is some 5 % at most.
            #expect(Double(moved) / Double(size) < 0.06, "\(moved) of \(size) moved")
        }
    }

    @Test("the table of two backends is pinned: nodes of other versions have the same")
    func pinned() {
        let table = MaglevTable.entries(backends(2), size: 31).map(String.init).joined()
        #expect(table.count == 31)
        #expect(table == MaglevTableTests.ofTwo)
    }

    /// Changing the hash makes connections of a cluster move while nodes are upgraded one by one.
    private static let ofTwo = "1010111111011101100100010000000"
}
