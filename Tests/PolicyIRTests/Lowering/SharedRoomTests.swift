import NetpoldTestSupport
import Testing

@testable import PolicyIR

/// Who gives way where more is asked for than there is room for.
@Suite struct SharedRoomTests {
    /// Who asks, whose it is, in which rank, for what.
    typealias Asked = [(key: String, owner: String, rank: Int?, things: [Int])]

    private static func room(_ limit: Int, _ asked: Asked) -> SharedRoom<String, Int> {
        var room = SharedRoom<String, Int>(limit: limit)
        for one in asked { room.set(one.key, one.things, owner: one.owner, rank: one.rank) }
        return room
    }

    @Test("nobody goes without where everything fits, and what several ask for counts once")
    func fits() {
        let same = Array(0..<50)
        let room = Self.room(60, [("a", "x", 0, same + same), ("b", "y", 0, same), ("c", "x", 0, Array(50..<60))])
        #expect(room.used == 60)
        #expect(room.count(of: "a") == 50)
        #expect(room.leftOut() == [])
    }

    @Test("the owner with most gives way, with its largest; one with one large policy does not for another's many")
    func fair() {
        let many: Asked = (0..<10).map { ("many-\($0)", "evil", 0, Array($0 * 20..<$0 * 20 + 20)) }
        let one: Asked = [("one", "good", 0, Array(1000..<1045)), ("small", "evil", 0, [5000])]
        // 201 and 45, room for 100.
        let left = Self.room(100, many + one).leftOut()
        #expect(left == Set((2..<10).map { "many-\($0)" }))
    }

    @Test("lower ranks give way first, and what is never left out does not")
    func ranks() {
        let asked: Asked = [
            ("tenant", "x", 0, Array(0..<5)), ("cluster", "", 1, Array(10..<30)), ("node", "", 2, Array(40..<50)),
            ("fixed", "", nil, Array(60..<100)),
        ]
        #expect(Self.room(74, asked).leftOut() == ["tenant"])
        // Without the cluster's, which does not fit at all, the tenant's fits again.
        #expect(Self.room(56, asked).leftOut() == ["cluster"])
        #expect(Self.room(10, asked).leftOut() == ["tenant", "cluster", "node"])
    }

    @Test(
        "who gives way does not hang on the order, and each that went would not fit beside the rest", arguments: 0..<60)
    func random(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let asked: Asked = (0..<30).map { number in
            let start = random.below(60)
            return (
                "key-\(number)", "owner-\(random.below(6))", seed % 2 == 0 ? 0 : random.pick([0, 0, 0, 1, nil]),
                (0..<random.below(12)).map { start + $0 }
            )
        }
        let limit = 20 + random.below(50)
        let room = Self.room(limit, asked)
        let left = room.leftOut()
        #expect(Self.room(limit, asked.shuffled(using: &random)).leftOut() == left)
        // Also after others were there.
        var changed = Self.room(limit, asked.map { ($0.key, "other", 1, (0..<random.below(9)).map { $0 * 7 }) })
        for one in asked.shuffled(using: &random) { changed.set(one.key, one.things, owner: one.owner, rank: one.rank) }
        #expect(changed.leftOut() == left)
        #expect(changed.used == room.used)
        let kept = asked.filter { !left.contains($0.key) }
        let used = Set(kept.flatMap(\.things))
        #expect(used.count <= limit || kept.allSatisfy { $0.rank == nil || $0.things.isEmpty })
        for one in asked where left.contains(one.key) { #expect(used.union(one.things).count > limit) }
        // An equal part of the room is everybody's.
        let owners = Dictionary(grouping: asked.filter { $0.rank == 0 && !$0.things.isEmpty }, by: \.owner)
        if asked.allSatisfy({ $0.rank == 0 || $0.things.isEmpty }) {
            for (_, own) in owners where Set(own.flatMap(\.things)).count <= limit / owners.count {
                #expect(left.isDisjoint(with: own.map(\.key)))
            }
        }
        #expect(left.isEmpty == (room.used <= limit))
    }
}
