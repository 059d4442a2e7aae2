import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Pass: group decisions")
struct DecisionGroupsTests {
    private typealias Hit = DecisionGroups.Group.Hit

    private static let deny = Hit.answer(.init(verdict: .deny, decision: .rule))
    private static let allow = Hit.answer(.init(verdict: .allow, decision: .rule))
    private static let l7 = Hit.answer(.init(verdict: .l7, decision: .rule))

    /// A run of one bit.
    private static func run(_ kind: PolicyLevels.Kind, _ bit: Int) -> PolicyLevels.Run {
        .init(kind: kind, masks: [.init(word: 0, specific: 1 << UInt64(bit))])
    }

    /// The groups of one tier; each as its bit and what a hit leads to.
    private static func groups(_ levels: [[[PolicyLevels.Run]]]) -> [(bit: Int, hit: Hit)] {
        let groups = DecisionGroups(
            PolicyLevels(tiers: [levels.map { PolicyLevels.Level(objects: $0) }], isIsolated: true))
        return groups.tiers[0].map { ($0.masks[0].specific.trailingZeroBitCount, $0.hit) }
    }

    private static func expect(
        _ groups: [(bit: Int, hit: Hit)], _ bits: [Int], _ hits: [Hit],
        _ place: Testing.SourceLocation = #_sourceLocation
    ) {
        #expect(groups.map(\.bit) == bits, sourceLocation: place)
        #expect(groups.map(\.hit) == hits, sourceLocation: place)
    }

    @Test("one object is asked in its own order, level after level")
    func oneObject() {
        let groups = Self.groups([
            [[Self.run(.deny, 0), Self.run(.allow, 1), Self.run(.host, 2), Self.run(.l7, 3), Self.run(.pass, 4)]],
            [[Self.run(.allow, 5), Self.run(.deny, 6)]],
        ])
        Self.expect(
            groups, [0, 1, 2, 3, 4, 5, 6],
            [Self.deny, Self.allow, .host, Self.l7, .endOfTier, Self.allow, Self.deny])
    }

    @Test("of several objects the strongest first match wins: a weaker one in front ends the object for that kind")
    func severalObjects() {
        let groups = Self.groups([
            [
                [Self.run(.allow, 0), Self.run(.deny, 1)],
                [Self.run(.pass, 2), Self.run(.l7, 3)],
                [Self.run(.deny, 4), Self.run(.allow, 5)],
            ]
        ])
        Self.expect(
            groups, [0, 1, 4, 0, 5, 2, 3, 2],
            [
                // Is a deny the first match of an object? Of the first one not where its allow matches.
                .group(2), Self.deny, Self.deny,
                // Is an allow? A deny in front of it has answered already.
                Self.allow, Self.allow,
                // Is an L7 rule? Not where the pass before it matches.
                .group(7), Self.l7,
                // Then a pass ends the tier.
                .endOfTier,
            ])
    }

    @Test("where to go on counts from the start of the tier")
    func secondLevel() {
        let groups = Self.groups([
            [[Self.run(.allow, 0)]],
            [[Self.run(.allow, 1), Self.run(.deny, 2)], [Self.run(.allow, 3)]],
        ])
        Self.expect(
            groups, [0, 1, 2, 1, 3], [Self.allow, .group(3), Self.deny, Self.allow, Self.allow])
    }

    @Test("tiers stay apart, and what nothing decides depends on isolation")
    func tiers() {
        let level = PolicyLevels.Level(objects: [[Self.run(.allow, 0)]])
        let open = DecisionGroups(PolicyLevels(tiers: [[], [level], [level]], isIsolated: false))
        #expect(open.tiers.map(\.count) == [0, 1, 1])
        #expect(open.fallback == .init(verdict: .allow, decision: .defaultAllow))
        let isolated = DecisionGroups(PolicyLevels(tiers: [], isIsolated: true))
        #expect(isolated.tiers.isEmpty)
        #expect(isolated.fallback == .init(verdict: .deny, decision: .defaultDeny))
    }
}
