import Testing

@testable import Agent

@Suite("records take turns") struct FairQueueTests {
    @Test("a noisy pod fills its share and no more, and hides no other pod's drops")
    func noisy() {
        var queue = FairQueue()
        var refused = 0
        for port in 0..<10_000 where !queue.add(Records.drop(slot: 1, port: UInt16(port))) { refused += 1 }
        #expect(refused == 10_000 - FairQueue.share)
        var added = 0
        for port in 0..<10 where queue.add(Records.drop(slot: 2, port: UInt16(port))) { added += 1 }
        #expect(added == 10)
        let (taken, left) = queue.take(40)
        #expect(taken.count { $0.slot == 2 } == 10)
        #expect(taken.count == 40)
        #expect(left == FairQueue.share + 10 - 40)
        #expect(queue.count == 0)
    }

    @Test("whoever floods a pod hides no drops of others who send there")
    func sameTarget() {
        var queue = FairQueue()
        for port in 0..<10_000 { _ = queue.add(Records.drop(slot: 1, from: "10.0.0.1", port: UInt16(port))) }
        var added = 0
        for port in 0..<10 where queue.add(Records.drop(slot: 1, from: "10.0.0.3", port: UInt16(port))) { added += 1 }
        let (taken, _) = queue.take(40)
        #expect(added == 10)
        #expect(taken.count { $0.source == Fixtures.address("10.0.0.3") } == 10)
    }

    @Test("a pod's passed packets do not hide its own drops")
    func passed() {
        var queue = FairQueue()
        var allowed = Records.drop(slot: 1)
        allowed.reason = 3
        for _ in 0..<1000 { _ = queue.add(allowed) }
        let isAdded = queue.add(Records.drop(slot: 1))
        #expect(isAdded)
        let (taken, _) = queue.take(2)
        #expect(taken.contains { $0.isDrop })
    }

    @Test("with every place taken, whoever has none still gets one in")
    func full() {
        var queue = FairQueue()
        for slot in 0..<UInt16(FairQueue.limit / FairQueue.share) {
            for _ in 0..<FairQueue.share { _ = queue.add(Records.drop(slot: slot)) }
        }
        #expect(queue.count == FairQueue.limit)
        let added = [0, 4000, 4000].map { queue.add(Records.drop(slot: $0)) }
        #expect(added == [false, true, false])
        let (taken, _) = queue.take(9)
        #expect(taken.contains { $0.slot == 4000 })
    }

    @Test("what is few goes out whole")
    func few() {
        var queue = FairQueue()
        for slot in 0..<3 as Range<UInt16> { _ = queue.add(Records.drop(slot: slot)) }
        let (taken, left) = queue.take(1000)
        #expect((taken.count, left) == (3, 0))
        let (none, _) = queue.take(1000)
        #expect(none.isEmpty)
    }
}
