import Testing

@Suite("the slots' protocol, every interleaving of it")
struct SlotModelTests {
    /// What several CPUs do to a set at the same time.
    struct Scenario: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let slots: [SlotModel.Slot]
        let tasks: [[SlotModel.Task]]
    }

    private static let scenarios = [
        Scenario(
            testDescription: "a packet's look-up while its entry is replaced, and made again",
            slots: [SlotModel.live(1)], tasks: [[.find(1)], [.insert(2), .insert(1)]]),
        Scenario(
            testDescription: "the same with a flow of the same tag",
            slots: [SlotModel.live(1)], tasks: [[.find(1)], [.find(5)], [.insert(5)]]),
        Scenario(
            testDescription: "two new flows want the only slot, and one of them is looked up",
            slots: [.init()], tasks: [[.insert(1)], [.insert(5)], [.find(5)]]),
        Scenario(
            testDescription: "new flows, one slot of which is an answered one's",
            slots: [SlotModel.live(1, isAnswered: true), SlotModel.live(2)],
            tasks: [[.find(1)], [.insert(3), .find(3)], [.insert(5)]]),
        Scenario(
            testDescription: "the collector takes an expired flow that wakes up, while others come",
            slots: [SlotModel.live(1, isAnswered: true, isExpired: true)],
            tasks: [[.collect], [.find(1)], [.insert(5), .find(5)]]),
        Scenario(
            testDescription: "the collector, over two slots, beside two writers",
            slots: [SlotModel.live(1, isExpired: true), SlotModel.live(2, isAnswered: true)],
            tasks: [[.collect], [.insert(5)], [.insert(3), .find(3)]]),
        Scenario(
            testDescription: "a verdict under a new revision, while the entry becomes that of a flow it does not allow",
            slots: [SlotModel.live(1)],
            tasks: [[.stamp(1)], [.insert(SlotModel.revoked)], [.find(SlotModel.revoked)]]),
        Scenario(
            testDescription: "two packets of a flow write the new revision, a third answers",
            slots: [SlotModel.live(1)], tasks: [[.stamp(1)], [.stamp(1)], [.find(1)]]),
        Scenario(
            testDescription: "a flow goes to its second set, while packets of it come and a new flow wants its place",
            slots: [SlotModel.live(1, isAnswered: true), .init()], tasks: [[.move(1)], [.find(1)], [.insert(5)]]),
        Scenario(
            testDescription: "the same while its verdict is written under a new revision",
            slots: [SlotModel.live(1, isAnswered: true), .init()],
            tasks: [[.move(1)], [.stamp(1)], [.insert(SlotModel.revoked), .find(SlotModel.revoked)]]),
    ]

    /// Every state that can be reached, depth first; how many, or the first thing that goes wrong.
    private static func explore(
        _ scenario: Scenario, _ mutation: SlotModel.Mutation
    ) -> (states: Int, ends: Int, violation: String?) {
        let start = SlotModel(scenario.slots, scenario.tasks, mutation)
        var seen: Set = [start]
        var pending = [start]
        var ends = 0
        while let state = pending.popLast() {
            if state.isOver { ends += 1 }
            let (next, violation) = state.successors()
            if let violation { return (seen.count, ends, violation) }
            for state in next where seen.insert(state).inserted { pending.append(state) }
        }
        return (seen.count, ends, nil)
    }

    @Test("no torn read is taken for a flow, no live answered one is lost, no slot stays busy", arguments: scenarios)
    func holds(scenario: Scenario) {
        let result = Self.explore(scenario, .nothing)
        #expect(result.violation == nil)
        #expect(result.states > 50 && result.ends > 0)
        print("\(scenario.testDescription): \(result.states) states")
    }

    @Test(
        "whatever precaution is left out, something goes wrong",
        arguments: SlotModel.Mutation.allCases.filter { $0 != .nothing })
    func precautions(mutation: SlotModel.Mutation) {
        let found = Self.scenarios.compactMap { Self.explore($0, mutation).violation }
        #expect(!found.isEmpty)
        print("\(mutation): \(found)")
    }
}
