import PolicyAPI

extension PortTrees {
    /// What the program can refuse: the refusals that some leaf reaches.
    ///
    /// - Complexity: O(nodes + leaves).
    var strictness: PolicyStrictness {
        let edges = graph.edgeCounts(from: [known?.leaves ?? [], unknown.leaves].joined())
        var found = PolicyStrictness.open
        for (step, ways) in zip(graph.steps, edges) where ways > 0 {
            let outcome: DecisionGroups.Outcome
            switch step {
            case .branch: continue
            case .test(_, _, _, let answer, _): outcome = answer
            case .fallback(let answer): outcome = answer
            }
            switch (outcome.verdict, outcome.decision) {
            case (.allow, _), (.allowRead, _): continue
            // L7 rules are asked of isolated subjects only; without a proxy, they refuse.
            case (.deny, .rule), (.l7, .rule): found = .denying
            case (.deny, _), (.l7, _): return .isolating
            }
        }
        return found
    }
}
