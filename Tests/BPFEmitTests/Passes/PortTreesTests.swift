import NetpoldTestSupport
import Testing

@testable import BPFEmit

@Suite("Pass: build the graph, trees of all intervals")
struct PortTreesTests {
    private static let allow = DecisionGroups.Outcome(verdict: .allow, decision: .rule)
    private static let defaultDeny = DecisionGroups.Outcome(verdict: .deny, decision: .defaultDeny)

    /// Bits 0 and 1 as one group of allows, the second for everybody.
    private static let groups = DecisionGroups(
        tiers: [
            [
                .init(hit: .answer(allow), masks: [.init(word: 0, specific: 0b01)]),
                .init(hit: .answer(allow), masks: [.init(word: 0, everyone: 0b10)]),
            ]
        ], fallback: defaultDeny)

    private static func trees(_ traffic: [[PolicyBits.ResolvedTraffic]?], hasPeers: Bool = true) -> PortTrees {
        let policy = PolicyExamples.policy(
            traffic.enumerated().map { PolicyExamples.bit($0.offset, traffic: $0.element) })
        return PortTrees(TrafficPartition(policy), groups, hasPeers: hasPeers)
    }

    @Test("known remotes and the others have a tree each over one graph, and equal leaves share their tests")
    func trees() {
        let trees = Self.trees([[.init(.tcp, .init(80))], [.init(.tcp, .init(443))]])
        let starts: [UInt32] = [0, 6 << 16 | 80, 6 << 16 | 81, 6 << 16 | 443, 6 << 16 | 444]
        #expect(trees.known?.leaves.map(\.start) == starts)
        // Nobody in particular may send to port 80.
        #expect(trees.unknown.leaves.map(\.start) == [0, 6 << 16 | 443, 6 << 16 | 444])
        let nodes = trees.known?.leaves.map(\.tests) ?? []
        #expect(nodes[0] == nodes[2] && nodes[0] == nodes[4])
        #expect(trees.graph.steps[nodes[0]] == .fallback(Self.defaultDeny))
        #expect(trees.unknown.leaves.map(\.tests) == [nodes[0], nodes[3], nodes[0]])
    }

    @Test("intervals that are decided alike are one leaf")
    func merged() {
        // Two ranges that touch, and one inside another.
        let trees = Self.trees([[.init(.tcp, .init(1, 5)), .init(.tcp, .init(6, 9)), .init(.tcp, .init(7))], []])
        #expect(trees.known?.leaves.map(\.start) == [0, 6 << 16 | 1, 6 << 16 | 10])
        #expect(trees.unknown.leaves == [.init(start: 0, tests: 0)])
    }

    @Test("without a peers map there is only the other tree")
    func withoutPeers() {
        let trees = Self.trees([nil, nil], hasPeers: false)
        #expect(trees.known == nil)
        #expect(trees.unknown.leaves.count == 1)
        #expect(
            trees.graph.steps[trees.unknown.leaves[0].tests]
                == .test(word: 0, specific: 0, everyone: 0b10, Self.allow, next: nil))
    }

    @Test(
        "random policies: leaves ascend from 0, neighbours differ, and tests go on with smaller ones", arguments: 0..<60
    )
    func random(seed: Int) {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        let policy = policies.next(maximum: 150)
        let carried = CarriedBits(policy)
        let groups = DecisionGroups(PolicyLevels(policy, carried: carried))
        let trees = PortTrees(TrafficPartition(policy), groups, hasPeers: !carried.words.isEmpty)
        for tree in [trees.known, trees.unknown].compactMap(\.self) {
            #expect(tree.leaves.first?.start == 0)
            for (left, right) in zip(tree.leaves, tree.leaves.dropFirst()) {
                #expect(left.start < right.start && left.tests != right.tests)
            }
        }
        #expect(Set(trees.graph.steps).count == trees.graph.steps.count)
        for (node, step) in trees.graph.steps.enumerated() {
            switch step {
            case .test(_, _, _, _, let next): #expect(next ?? -1 < node)
            case .branch(_, _, let target, let next): #expect(target < node && next < node)
            case .fallback: break
            }
        }
    }
}
