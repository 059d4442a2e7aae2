import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Pass: build the graph, tests of one interval")
struct DecisionGraphTests {
    private typealias Group = DecisionGroups.Group
    private typealias Step = DecisionGraph.Step

    private static let allow = DecisionGroups.Outcome(verdict: .allow, decision: .rule)
    private static let deny = DecisionGroups.Outcome(verdict: .deny, decision: .rule)
    private static let defaultDeny = DecisionGroups.Outcome(verdict: .deny, decision: .defaultDeny)
    private static let host = DecisionGroups.Outcome(verdict: .allow, decision: .host)

    /// A group of word 0.
    private static func group(_ hit: Group.Hit, _ specific: UInt64, everyone: UInt64 = 0) -> Group {
        Group(hit: hit, masks: [.init(word: 0, specific: specific, everyone: everyone)])
    }

    private static func groups(_ tiers: [[Group]]) -> DecisionGroups {
        DecisionGroups(tiers: tiers, fallback: defaultDeny)
    }

    /// The steps from the entry on, along the ways of no match.
    private static func chain(
        _ tiers: [[Group]], active: [UInt64] = [.max], hit: Bool = true
    ) -> (graph: DecisionGraph, steps: [Step]) {
        var graph = DecisionGraph()
        var node: DecisionGraph.Node? = graph.tests(groups(tiers), active: active, hit: hit)
        var steps: [Step] = []
        while let current = node {
            steps.append(graph.steps[current])
            switch graph.steps[current] {
            case .test(_, _, _, _, let next): node = next
            case .branch(_, _, _, let next): node = next
            case .fallback: node = nil
            }
        }
        return (graph, steps)
    }

    @Test("groups are tests one after the other, tier after tier, and the fallback is the end")
    func order() {
        let (_, steps) = Self.chain([
            [Self.group(.answer(Self.deny), 0b001), Self.group(.answer(Self.allow), 0b010)],
            [Self.group(.answer(Self.deny), 0b100)],
        ])
        #expect(
            steps == [
                .test(word: 0, specific: 0b001, everyone: 0, Self.deny, next: 2),
                .test(word: 0, specific: 0b010, everyone: 0, Self.allow, next: 1),
                .test(word: 0, specific: 0b100, everyone: 0, Self.deny, next: 0), .fallback(Self.defaultDeny),
            ])
    }

    @Test("bits whose traffic does not hold the interval are not asked")
    func active() {
        let (_, steps) = Self.chain(
            [[Self.group(.answer(Self.deny), 0b011), Self.group(.answer(Self.allow), 0b100)]], active: [0b010])
        #expect(
            steps == [.test(word: 0, specific: 0b010, everyone: 0, Self.deny, next: 0), .fallback(Self.defaultDeny)])
    }

    @Test("a bit for everybody always answers: nothing is asked behind it")
    func everyone() {
        let tiers = [
            [Self.group(.answer(Self.deny), 0b001, everyone: 0b010), Self.group(.answer(Self.allow), 0b100)]
        ]
        #expect(
            Self.chain(tiers).steps == [.test(word: 0, specific: 0b001, everyone: 0b010, Self.deny, next: nil)])
    }

    @Test("a remote without an entry matches bits for everybody alone")
    func unknown() {
        let tiers = [
            [
                Self.group(.answer(Self.deny), 0b0001), Self.group(.host, 0b1000), Self.group(.endOfTier, 0b0010),
                Self.group(.answer(Self.allow), 0b0100, everyone: 0b1_0000),
            ]
        ]
        #expect(
            Self.chain(tiers, hit: false).steps == [
                .test(word: 0, specific: 0, everyone: 0b1_0000, Self.allow, next: nil)
            ])
        #expect(Self.chain([[Self.group(.answer(Self.deny), 1)]], hit: false).steps == [.fallback(Self.defaultDeny)])
    }

    @Test("a pass skips the rest of its tier and no other")
    func pass() {
        let (graph, steps) = Self.chain([
            [Self.group(.endOfTier, 0b001), Self.group(.answer(Self.deny), 0b010)],
            [Self.group(.answer(Self.allow), 0b100)],
        ])
        let next = Step.test(word: 0, specific: 0b100, everyone: 0, Self.allow, next: 0)
        #expect(graph.steps[1] == next)
        #expect(
            steps == [
                .branch(word: 0, specific: 0b001, target: 1, next: 2),
                .test(word: 0, specific: 0b010, everyone: 0, Self.deny, next: 1), next, .fallback(Self.defaultDeny),
            ])
    }

    @Test("a pass with nothing to skip is not asked, one for everybody skips without asking")
    func needlessPass() {
        #expect(Self.chain([[Self.group(.endOfTier, 1)]]).steps == [.fallback(Self.defaultDeny)])
        let skipping = [[Self.group(.endOfTier, 0, everyone: 1), Self.group(.answer(Self.deny), 2)]]
        #expect(Self.chain(skipping).steps == [.fallback(Self.defaultDeny)])
    }

    @Test("the local node passes, whatever stands behind")
    func hostPass() {
        let (graph, steps) = Self.chain([[Self.group(.host, 0b01), Self.group(.answer(Self.deny), 0b10)]])
        guard case .branch(0, 0b01, let target, _) = steps.first else {
            Issue.record("\(steps)")
            return
        }
        #expect(graph.steps[target] == .fallback(Self.host))
    }

    @Test("a hit may go on with a later group of its tier")
    func goOn() {
        let (graph, steps) = Self.chain([
            [
                Self.group(.group(2), 0b001), Self.group(.answer(Self.deny), 0b010),
                Self.group(.answer(Self.allow), 0b100),
            ]
        ])
        guard case .branch(0, 0b001, let target, let next) = steps.first else {
            Issue.record("\(steps)")
            return
        }
        #expect(graph.steps[target] == .test(word: 0, specific: 0b100, everyone: 0, Self.allow, next: 0))
        #expect(graph.steps[next] == .test(word: 0, specific: 0b010, everyone: 0, Self.deny, next: target))
    }

    @Test("several words are several tests of one outcome")
    func words() {
        let group = Group(
            hit: .answer(Self.allow),
            masks: [
                .init(word: 0, specific: 1), .init(word: 3, specific: 2, everyone: 4), .init(word: 5, specific: 8),
            ])
        // Word 3 always answers.
        #expect(
            Self.chain([[group]], active: Array(repeating: .max, count: 6)).steps == [
                .test(word: 0, specific: 1, everyone: 0, Self.allow, next: 2),
                .test(word: 3, specific: 2, everyone: 4, Self.allow, next: nil),
            ])
    }

    @Test("equal tests are one node, and what follows a test has a smaller index")
    func shared() {
        let groups = Self.groups([[Self.group(.answer(Self.deny), 0b01), Self.group(.answer(Self.allow), 0b10)]])
        var graph = DecisionGraph()
        let both = graph.tests(groups, active: [0b11], hit: true)
        let count = graph.steps.count
        #expect(graph.tests(groups, active: [0b111], hit: true) == both)
        let allow = graph.tests(groups, active: [0b10], hit: true)
        #expect(graph.steps.count == count)
        #expect(graph.steps[both] == .test(word: 0, specific: 0b01, everyone: 0, Self.deny, next: allow))
        #expect(allow < both)
    }

    @Test("ways to a node are counted from leaves and from the tests they reach, not from others")
    func edges() {
        var graph = DecisionGraph()
        let end = graph.node(.fallback(Self.defaultDeny))
        let test = graph.node(.test(word: 0, specific: 1, everyone: 0, Self.allow, next: end))
        let branch = graph.node(.branch(word: 0, specific: 2, target: end, next: test))
        let unreached = graph.node(.test(word: 0, specific: 4, everyone: 0, Self.allow, next: test))
        let leaves = [(0, branch), (5, test), (9, branch)].map { PortTree.Leaf(start: $0.0, tests: $0.1) }
        let edges = graph.edgeCounts(from: leaves)
        #expect([end, test, branch, unreached].map { edges[$0] } == [2, 2, 2, 0])
    }
}
