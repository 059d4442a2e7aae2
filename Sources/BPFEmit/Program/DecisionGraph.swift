import PolicyAPI

/// The tests a packet goes through, as a graph without cycles. Equal tests with equal continuations are one node, so leaves of the
/// port trees that decide alike share their code.
struct DecisionGraph {
    /// A node, by index.
    typealias Node = Int

    /// What a test that hits answers.
    struct Outcome: Hashable {
        var verdict: PolicyVerdict
        var decision: PolicyDecision
    }

    /// `value` is the word of the remote's `peers` entry.
    enum Step: Hashable {
        /// Answers with the lowest bit of `(value & specific) | everyone` if there is one, else goes on. `next` is `nil` when
        /// there always is one.
        case test(word: Int, specific: UInt64, everyone: UInt64, Outcome, next: Node?)
        /// Goes to `target` if `value & specific` is not 0.
        case branch(word: Int, specific: UInt64, target: Node, next: Node)
        /// Answers with a decision that no rule took.
        case fallback(Outcome)
    }

    private(set) var steps: [Step] = []
    private var nodes: [Step: Node] = [:]

    /// The node of a step, made when new. Continuations always have smaller indices than the nodes that lead to them.
    mutating func node(_ step: Step) -> Node {
        if let known = nodes[step] { return known }
        steps.append(step)
        nodes[step] = steps.count - 1
        return steps.count - 1
    }

    /// The tests for the packets of one port interval.
    ///
    /// - Parameters:
    ///   - active: The bits whose traffic holds the interval.
    ///   - hit: Whether the remote has an entry in `peers`; without one only bits for everybody can match.
    mutating func tests(_ groups: DecisionGroups, active: [UInt64], hit: Bool, isolated: Bool) -> Node {
        var entry = node(
            .fallback(
                isolated
                    ? Outcome(verdict: .deny, decision: .defaultDeny)
                    : Outcome(verdict: .allow, decision: .defaultAllow)))
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

    /// - Parameter entries: Where each group of the tier begins, from the one behind `index` on; the last is what follows the
    ///   tier.
    private mutating func prepend(
        _ group: DecisionGroups.Group, at index: Int, of entries: [Node], active: [UInt64], hit: Bool
    ) -> Node {
        let next = entries[index + 1]
        let outcome: Outcome
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
}
