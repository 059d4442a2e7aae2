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
            let end = entry
            for group in tier.reversed() {
                entry = prepend(group, to: entry, endOfTier: end, active: active, hit: hit)
            }
        }
        return entry
    }

    private mutating func prepend(
        _ group: DecisionGroups.Group, to next: Node, endOfTier: Node, active: [UInt64], hit: Bool
    ) -> Node {
        guard let outcome = group.kind.outcome else {
            let target = group.kind == .host ? node(.fallback(.init(verdict: .allow, decision: .host))) : endOfTier
            return prependBranches(group, to: next, target: target, active: active, hit: hit)
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

extension DecisionGroups.Kind {
    /// What a hit answers with its bit; `nil` where only the kind counts.
    var outcome: DecisionGraph.Outcome? {
        switch self {
        case .deny: .init(verdict: .deny, decision: .rule)
        case .allow: .init(verdict: .allow, decision: .rule)
        case .l7: .init(verdict: .l7, decision: .rule)
        case .host, .pass: nil
        }
    }
}
