import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Pass: join tests")
struct JoinedTestsTests {
    private typealias Block = BlockLayout.Block

    private static let allow = DecisionGroups.Outcome(verdict: .allow, decision: .rule)
    private static let deny = DecisionGroups.Outcome(verdict: .deny, decision: .rule)
    private static let l7 = DecisionGroups.Outcome(verdict: .l7, decision: .rule)
    private static let refusal = DecisionGroups.Outcome(verdict: .deny, decision: .defaultDeny)

    private static func test(_ bit: Int, word: Int = 0, _ outcome: DecisionGroups.Outcome = allow) -> Block {
        .test(word: word, specific: 1 << UInt64(bit), everyone: 0, outcome, isLast: false)
    }

    private static func bits(_ bit: Int, word: Int = 0, _ outcome: DecisionGroups.Outcome = allow) -> Block {
        .bits(word: word, specific: 1 << UInt64(bit), outcome)
    }

    @Test("four that go on at the same place have one end, also those with another answer; the last runs into it")
    func four() {
        let layout = JoinedTests.join(
            BlockLayout(
                known: [
                    .loadTraffic, .split(from: 80, jumping: .atLeast, to: 0), Self.test(0), .jump(to: 1), .place(0),
                    .split(from: 81, jumping: .atLeast, to: 2), Self.test(1, Self.deny), .jump(to: 1), .place(2),
                    .split(from: 82, jumping: .atLeast, to: 3), Self.test(2), .jump(to: 1), .place(3), Self.test(3),
                    .place(1), .fallback(Self.refusal),
                ], unknown: [.fallback(Self.refusal)]))
        #expect(
            layout.known == [
                .loadTraffic, .split(from: 80, jumping: .atLeast, to: 0), Self.bits(0), .jump(to: 1), .place(0),
                .split(from: 81, jumping: .atLeast, to: 2), Self.bits(1, Self.deny), .jump(to: 1), .place(2),
                .split(from: 82, jumping: .atLeast, to: 3), Self.bits(2), .jump(to: 1), .place(3), Self.bits(3),
                .place(1), .end(word: 0, isL7: false), .fallback(Self.refusal),
            ])
    }

    @Test("three stay as they are, and so do tests of other words, with L7 answers, or that everybody matches")
    func few() {
        let layout = BlockLayout(
            known: [
                .loadTraffic, .split(from: 80, jumping: .atLeast, to: 0), Self.test(0), .jump(to: 1), .place(0),
                .split(from: 81, jumping: .atLeast, to: 2), Self.test(1), .jump(to: 1), .place(2),
                .split(from: 82, jumping: .atLeast, to: 3), Self.test(2), .jump(to: 1), .place(3),
                .split(from: 83, jumping: .atLeast, to: 4), Self.test(3, word: 1), .jump(to: 1), .place(4),
                .split(from: 84, jumping: .atLeast, to: 5), Self.test(3, Self.l7), .jump(to: 1), .place(5),
                .test(word: 0, specific: 16, everyone: 32, Self.allow, isLast: true), .place(1),
                .fallback(Self.refusal),
            ], unknown: [.fallback(Self.refusal)])
        let joined = JoinedTests.join(layout)
        #expect(joined.known == layout.known && joined.unknown == layout.unknown)
    }

    @Test("the ends of tests that go on with other remotes' code stand behind the last remote's, each with its jump")
    func otherRemotes() {
        func tests(_ word: Int, _ places: ClosedRange<Int>) -> [Block] {
            places.flatMap { place in
                [
                    .split(from: UInt32(80 + place), jumping: .atLeast, to: place < 4 ? place : place + 1),
                    Self.test(place, word: word), .jump(to: 4), .place(place < 4 ? place : place + 1),
                ] as [Block]
            }
        }
        let layout = JoinedTests.join(
            BlockLayout(
                known: [.loadTraffic] + tests(0, 0...3) + tests(1, 4...7) + [.fallback(Self.allow)],
                unknown: [.place(4), .fallback(Self.refusal)]))
        #expect(
            layout.known?.suffix(7) == [
                .fallback(Self.allow), .place(1), .end(word: 0, isL7: false), .jump(to: 10), .place(6),
                .end(word: 1, isL7: false), .jump(to: 10),
            ])
        #expect(layout.unknown == [.place(10), .fallback(Self.refusal)])
        Self.check(layout)
    }

    /// Jumps go forward to places numbered as they are met, and each is placed once.
    private static func check(_ layout: BlockLayout) {
        var met = 0
        var placed: Set<Int> = []
        for block in (layout.known ?? []) + layout.unknown {
            switch block {
            case .place(let place): #expect(place < met && placed.insert(place).inserted, "place \(place)")
            case .split(_, _, let place), .jump(let place), .branch(_, _, _, _, let place):
                if place == met { met += 1 }
                #expect(place < met && !placed.contains(place), "a jump to \(place) goes backward or is numbered late")
            case .loadTraffic, .test, .fallback, .bits, .end: break
            }
        }
        #expect(placed == Set(0..<met))
    }

    @Test("random policies: jumps go forward, and every test is there, joined or not", arguments: 0..<80)
    func random(seed: Int) {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        let policy = policies.next(maximum: 150)
        let carried = CarriedBits(policy)
        let trees = PortTrees(
            TrafficPartition(policy), DecisionGroups(PolicyLevels(policy, carried: carried)),
            hasPeers: !carried.words.isEmpty)
        let layout = BlockLayout(trees)
        let joined = JoinedTests.join(layout)
        Self.check(joined)
        func count(_ layout: BlockLayout, _ isCounted: (Block) -> Bool) -> Int {
            ((layout.known ?? []) + layout.unknown).count(where: isCounted)
        }
        func isTest(_ block: Block) -> Bool {
            switch block {
            case .test, .bits: true
            default: false
            }
        }
        #expect(count(joined, isTest) == count(layout, isTest))
        let bits = count(joined) { if case .bits = $0 { true } else { false } }
        let ends = count(joined) { if case .end = $0 { true } else { false } }
        #expect(bits >= 4 * ends)
    }
}
