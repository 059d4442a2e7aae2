import BPFEmit
import PolicyAPI
import Testing

@Suite("ranges of np_rule_hits")
struct RuleHitIndexTests {
    private func take(_ count: Int, _ index: inout RuleHitIndex, capacity: Int = 20) -> UInt32? {
        index.take(count: count, capacity: capacity, subject: "s", direction: .ingress, bits: [])?.base
    }

    @Test("ranges never overlap, never hold 0, and a freed one is handed out again")
    func ranges() throws {
        var index = RuleHitIndex()
        #expect(take(5, &index) == 1)
        #expect(take(6, &index) == 6)
        #expect(take(8, &index) == 12)
        #expect(take(1, &index) == nil)
        index.remove(try #require(index.entry(of: 7)))
        #expect(take(7, &index) == nil)
        #expect(take(4, &index) == 6)
        #expect(take(2, &index) == 10)
        #expect(index.entries.map(\.base) == [1, 6, 10, 12])
    }

    @Test("numbers that are kept are nobody's base, until they are given back")
    func kept() {
        var index = RuleHitIndex()
        index.keep([1, 4])
        #expect(take(2, &index) == 2)
        #expect(take(3, &index) == 5)
        #expect(index.meaning(of: 1) == nil && index.meaning(of: 4) == nil)
        index.releaseKept(except: [4])
        #expect(take(1, &index) == 1)
        #expect(take(1, &index) == 8)
        index.releaseKept(except: [])
        #expect(take(1, &index) == 4)
    }

    @Test("an index is resolved to its rule, its default or the host; others to nothing")
    func meaning() {
        var index = RuleHitIndex()
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "shop", name: "r", path: "")
        let bit = RuleBit(rule: 3, action: .allow, isL7: false, origin: origin)
        _ = index.take(count: 2, capacity: 100, subject: "other", direction: .egress, bits: [])
        _ = index.take(count: 4, capacity: 100, subject: "web", direction: .ingress, bits: [bit], isolatedBy: [origin])
        let meanings: [(UInt32, HitMeaning?)] = [
            (0, nil), (3, .defaultDeny(isolatedBy: [origin])), (4, .defaultAllow), (5, .host), (6, .rule(bit)),
            (7, nil), (99, nil),
        ]
        for (number, meaning) in meanings {
            #expect(
                index.meaning(of: number)
                    == meaning.map { RuleHitKey(subject: "web", direction: .ingress, meaning: $0) })
        }
    }
}
