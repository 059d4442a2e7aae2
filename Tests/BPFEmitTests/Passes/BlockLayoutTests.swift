import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Pass: lay out blocks")
struct BlockLayoutTests {
    private typealias Block = BlockLayout.Block

    private static let allow = DecisionGroups.Outcome(verdict: .allow, decision: .rule)
    private static let defaultDeny = DecisionGroups.Outcome(verdict: .deny, decision: .defaultDeny)
    private static let host = DecisionGroups.Outcome(verdict: .allow, decision: .host)

    private static func tree(_ leaves: [(UInt32, DecisionGraph.Node)]) -> PortTree {
        var tree = PortTree()
        for (start, tests) in leaves { tree.append(start: start, tests: tests) }
        return tree
    }

    /// A graph of a fallback (0), the host's (1), and tests of the bits 0, 1, ... (2, 3, ...) that go on with the fallback.
    private static func graph(tests: Int) -> DecisionGraph {
        var graph = DecisionGraph()
        let end = graph.node(.fallback(defaultDeny))
        _ = graph.node(.fallback(host))
        for bit in 0..<tests {
            _ = graph.node(.test(word: 0, specific: 1 << UInt64(bit), everyone: 0, allow, next: end))
        }
        return graph
    }

    private static func test(_ bit: Int) -> Block {
        .test(word: 0, specific: 1 << UInt64(bit), everyone: 0, allow, isLast: false)
    }

    @Test("one leaf needs no tree")
    func oneLeaf() {
        let layout = BlockLayout(
            PortTrees(graph: Self.graph(tests: 1), known: nil, unknown: Self.tree([(0, 2)])))
        #expect(layout.known == nil)
        #expect(layout.unknown == [Self.test(0), .fallback(Self.defaultDeny)])
    }

    @Test("a test that always answers is the last")
    func lastTest() {
        var graph = DecisionGraph()
        let node = graph.node(.test(word: 2, specific: 1, everyone: 2, Self.allow, next: nil))
        let layout = BlockLayout(PortTrees(graph: graph, known: nil, unknown: Self.tree([(0, node)])))
        #expect(layout.unknown == [.test(word: 2, specific: 1, everyone: 2, Self.allow, isLast: true)])
    }

    @Test("a node that both trees lead to stands in the second, where the first jumps")
    func sharedByTrees() {
        let layout = BlockLayout(
            PortTrees(graph: Self.graph(tests: 1), known: Self.tree([(0, 2)]), unknown: Self.tree([(0, 0)])))
        #expect(layout.known == [Self.test(0), .jump(to: 0)])
        #expect(layout.unknown == [.place(0), .fallback(Self.defaultDeny)])
    }

    @Test("two halves of which neither stands elsewhere are written one after the other")
    func halves() {
        let layout = BlockLayout(
            PortTrees(graph: Self.graph(tests: 2), known: nil, unknown: Self.tree([(0, 2), (80, 3)])))
        #expect(
            layout.unknown == [
                .loadTraffic, .split(from: 80, jumping: .atLeast, to: 0), Self.test(0), .jump(to: 1), .place(0),
                Self.test(1), .place(1), .fallback(Self.defaultDeny),
            ])
    }

    @Test("a half that is one leaf standing elsewhere is jumped to, on either side")
    func sharedLeaves() {
        // 0: fallback, 80: test, 90: fallback. The middle of three is 80, of the upper two 90.
        let layout = BlockLayout(
            PortTrees(graph: Self.graph(tests: 1), known: nil, unknown: Self.tree([(0, 0), (80, 2), (90, 0)])))
        #expect(
            layout.unknown == [
                .loadTraffic, .split(from: 80, jumping: .below, to: 0), .split(from: 90, jumping: .atLeast, to: 0),
                Self.test(0), .place(0), .fallback(Self.defaultDeny),
            ])
    }

    @Test("a branch jumps on a match, and what it jumps to stands behind")
    func branch() {
        var graph = Self.graph(tests: 1)
        let branch = graph.node(.branch(word: 0, specific: 8, target: 1, next: 2))
        let layout = BlockLayout(PortTrees(graph: graph, known: nil, unknown: Self.tree([(0, branch)])))
        #expect(
            layout.unknown == [
                .branch(word: 0, specific: 8, .host, jumping: .match, to: 0), Self.test(0),
                .fallback(Self.defaultDeny), .place(0), .fallback(Self.host),
            ])
    }

    @Test("a branch jumps without a match where this is the last way to its target and not to what follows")
    func invertedBranch() {
        var graph = Self.graph(tests: 2)
        let branch = graph.node(.branch(word: 0, specific: 8, target: 3, next: 2))
        let layout = BlockLayout(
            PortTrees(graph: graph, known: Self.tree([(0, branch)]), unknown: Self.tree([(0, 2)])))
        #expect(
            layout.known == [
                .branch(word: 0, specific: 8, .pass, jumping: .noMatch, to: 0), Self.test(1), .jump(to: 1),
            ])
        #expect(layout.unknown == [.place(0), Self.test(0), .place(1), .fallback(Self.defaultDeny)])
    }

    @Test(
        "random policies: jumps go forward to places numbered as they are met, and each node stands once",
        arguments: 0..<80)
    func random(seed: Int) {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        let policy = policies.next(maximum: 150)
        let carried = CarriedBits(policy)
        let groups = DecisionGroups(PolicyLevels(policy, carried: carried))
        let trees = PortTrees(TrafficPartition(policy), groups, hasPeers: !carried.words.isEmpty)
        let layout = BlockLayout(trees)

        var met: [Int] = []
        var placed: Set<Int> = []
        var nodes = 0
        func jump(to place: Int) {
            if place == met.count { met.append(place) }
            #expect(
                place < met.count && !placed.contains(place), "a jump to \(place) goes backward or is numbered late")
        }
        for block in (layout.known ?? []) + layout.unknown {
            switch block {
            case .place(let place):
                #expect(place < met.count && placed.insert(place).inserted, "place \(place)")
            case .loadTraffic: break
            case .split(_, _, let place), .jump(let place): jump(to: place)
            case .branch(_, _, _, _, let place):
                nodes += 1
                jump(to: place)
            case .test, .fallback: nodes += 1
            case .bits, .end: Issue.record("before tests are joined")
            }
        }
        #expect(placed == Set(met))
        let leaves = (trees.known?.leaves ?? []) + trees.unknown.leaves
        #expect(nodes == trees.graph.edgeCounts(from: leaves).filter { $0 > 0 }.count)
    }
}
