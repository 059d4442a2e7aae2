import NetpoldTestSupport
import Testing

@testable import BPFEmit

@Suite struct OrderedEntriesTests {
    @Test(
        "one by one or merged, a list after changes holds what a dictionary holds, in order",
        arguments: [1, 10, 24, 25, 200])
    func changes(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        var list: PeerTable = []
        var known: [UInt32: PeerEntry] = [:]
        for _ in 0..<50 {
            let orders = Set((0..<count).map { _ in UInt32(random.below(300)) }).sorted()
            let changes = orders.map { order in
                (
                    order: order,
                    entry: random.once(in: 3) ? nil : PeerEntry(identity: order, words: [UInt64(random.below(40))])
                )
            }
            for change in changes { known[change.order] = change.entry }
            list.set(changes)
            #expect(Array(list) == known.values.sorted { $0.identity < $1.identity })
            #expect(list == PeerTable(known.values.sorted { $0.identity < $1.identity }))
            #expect(orders.allSatisfy { list.words(of: $0) == known[$0]?.words })
        }
    }
}
