import PolicyAPI

/// The tests a packet goes through, as a graph without cycles.
///
/// Equal tests with equal continuations are one node, so leaves of the port trees that decide alike share their code. What a
/// test goes on with always has a smaller index than the test.
struct DecisionGraph {
    /// A node, by index.
    typealias Node = Int

    /// `value` is the word of the remote's `peers` entry.
    enum Step: Hashable {
        /// Answers with the lowest bit of `(value & specific) | everyone` if there is one, else goes on. `next` is `nil` when
        /// there always is one.
        case test(word: Int, specific: UInt64, everyone: UInt64, DecisionGroups.Outcome, next: Node?)
        /// Goes to `target` if `value & specific` is not 0.
        case branch(word: Int, specific: UInt64, target: Node, next: Node)
        /// Answers with a decision that no rule took.
        case fallback(DecisionGroups.Outcome)
    }

    private(set) var steps: [Step] = []
    private var nodes: [Step: Node] = [:]

    /// The node of a step, made when new.
    mutating func node(_ step: Step) -> Node {
        if let known = nodes[step] { return known }
        steps.append(step)
        nodes[step] = steps.count - 1
        return steps.count - 1
    }

    /// The tests for the packets of one port interval.
    ///
    /// - Parameters:
    ///   - groups: The groups of all tiers.
    ///   - active: The bits whose traffic holds the interval.
    ///   - hit: Whether the remote has an entry in `peers`; without one only bits for everybody can match.
    /// - Returns: The node where the tests begin.
    /// - Complexity: O(words of all groups).
    mutating func tests(_ groups: DecisionGroups, active: [UInt64], hit: Bool) -> Node {
        var entry = node(.fallback(groups.fallback))
        // Built from the end, since a test names what follows it.
        for tier in groups.tiers.reversed() {
            var entries = [Node](repeating: entry, count: tier.count + 1)
            for index in tier.indices.reversed() {
                entries[index] = prepend(tier[index], at: index, of: entries, active: active, hit: hit)
            }
            entry = entries[0]
        }
        return entry
    }

    /// Puts a group's tests before what follows it. `entries` says where each group of the tier begins, from the one behind
    /// `index` on; the last is what follows the tier.
    private mutating func prepend(
        _ group: DecisionGroups.Group, at index: Int, of entries: [Node], active: [UInt64], hit: Bool
    ) -> Node {
        let next = entries[index + 1]
        let outcome: DecisionGroups.Outcome
        switch group.hit {
        case .answer(let answer): outcome = answer
        case .host:
            let target = node(.fallback(.init(verdict: .allow, decision: .host)))
            return prependBranches(group, to: next, target: target, active: active, hit: hit)
        case .endOfTier:
            return prependBranches(group, to: next, target: entries[entries.count - 1], active: active, hit: hit)
        case .group(let number):
            return prependBranches(group, to: next, target: entries[number], active: active, hit: hit)
        }
        let entry = prependTests(group, outcome, to: next, active: active, hit: hit)
        let reads = group.reads.contains { mask in
            ((hit ? mask.specific : 0) | mask.everyone) & active[mask.word] != 0
        }
        // Without a test there is no answer that could say so.
        if !reads || entry == next { return entry }
        let reading = DecisionGroups.Group(hit: .group(0), masks: group.reads)
        let target = prependTests(
            group, DecisionGroups.Outcome(verdict: .allowRead, decision: outcome.decision), to: next, active: active,
            hit: hit)
        return prependBranches(reading, to: entry, target: target, active: active, hit: hit)
    }

    /// Tests that answer with one of a group's bits.
    private mutating func prependTests(
        _ group: DecisionGroups.Group, _ outcome: DecisionGroups.Outcome, to next: Node, active: [UInt64], hit: Bool
    ) -> Node {
        var entry = next
        for mask in group.masks.reversed() {
            let specific = hit ? mask.specific & active[mask.word] : 0
            let everyone = mask.everyone & active[mask.word]
            if everyone != 0 {
                entry = node(
                    .test(word: mask.word, specific: specific, everyone: everyone, outcome, next: nil))
            } else if specific != 0 {
                entry = node(.test(word: mask.word, specific: specific, everyone: 0, outcome, next: entry))
            }
        }
        return entry
    }

    /// Tests that decide by where they lead, not by which bit matched.
    private mutating func prependBranches(
        _ group: DecisionGroups.Group, to next: Node, target: Node, active: [UInt64], hit: Bool
    ) -> Node {
        // A pass at the end of its tier has nothing left to skip.
        if next == target { return next }
        if group.masks.contains(where: { $0.everyone & active[$0.word] != 0 }) { return target }
        var entry = next
        guard hit else { return entry }
        for mask in group.masks.reversed() {
            let specific = mask.specific & active[mask.word]
            if specific != 0 {
                entry = node(.branch(word: mask.word, specific: specific, target: target, next: entry))
            }
        }
        return entry
    }

    /// How many ways lead to each node, counted from these leaves: the leaves themselves, and tests that go on with it. 0 for
    /// what none of them reaches.
    ///
    /// - Complexity: O(nodes + leaves).
    func edgeCounts(from leaves: some Sequence<PortTree.Leaf>) -> [Int] {
        var edges = [Int](repeating: 0, count: steps.count)
        for leaf in leaves { edges[leaf.tests] += 1 }
        // Continuations have smaller indices, so every node is settled before those it leads to.
        for node in steps.indices.reversed() where edges[node] > 0 {
            switch steps[node] {
            case .test(_, _, _, _, let next):
                if let next { edges[next] += 1 }
            case .branch(_, _, let target, let next):
                edges[target] += 1
                edges[next] += 1
            case .fallback: break
            }
        }
        return edges
    }
}
