public import PolicyAPI
public import PolicyIR

/// A rule that would allow a flow but for a few conditions.
public struct NearMiss: Hashable, Sendable {
    /// The rule.
    public var rule: RuleReference
    /// Every condition that failed, peers first; all other conditions of the rule match.
    public var failed: [FailedCondition]
    /// How many peers the rule has, of which the conditions are those of the nearest; 1 when there is no choice.
    public var alternatives: Int

    /// A near miss.
    public init(rule: RuleReference, failed: [FailedCondition], alternatives: Int = 1) {
        self.rule = rule
        self.failed = failed
        self.alternatives = alternatives
    }
}

/// A rule of a subject's policy.
public struct RuleReference: Hashable, Sendable {
    /// Its index in `SubjectPolicy.rules`.
    public var number: Int
    /// Its tier.
    public var tier: Tier
    /// Its priority within the tier.
    public var priority: UInt32
    /// Its action.
    public var action: RuleAction
    /// Its origin.
    public var origin: RuleOrigin

    /// The rule of this number.
    init(_ number: Int, _ rule: PolicyRule) {
        self.number = number
        tier = rule.tier
        priority = rule.priority
        action = rule.action
        origin = rule.origin
    }
}

extension SubjectPolicy {
    /// The rules that nearly allow a flow that isolation denies: fewest failed conditions first, then the easiest to fix, then
    /// in rule order; at most `limit`. Rules that are not evaluated for the flow are left out.
    public func nearMisses(_ side: FlowSide, limit: Int = 3) -> [NearMiss] {
        let passes = self.passes(side)
        var misses: [NearMiss] = []
        for (index, rule) in rules.enumerated() where rule.action == .allow {
            // "Baseline is not asked for a pod isolated in the normal tier"; "Pass jumps a tier".
            if rule.tier > .normal { break }
            let isPassedBy = { (pass: RuleReference) in
                pass.tier == rule.tier
                    && (pass.priority < rule.priority || rules[pass.number].precedesInItsObject(rule))
            }
            if passes.contains(where: isPassedBy) { continue }
            let (failed, alternatives) = rule.failedConditions(side)
            if failed.isEmpty { continue }
            misses.append(NearMiss(rule: RuleReference(index, rule), failed: failed, alternatives: alternatives))
        }
        let ranked = misses.enumerated().sorted { left, right in
            let (one, two) = (left.element.failed, right.element.failed)
            return (one.rank, one.count, one.distance, left.offset) < (two.rank, two.count, two.distance, right.offset)
        }
        return ranked.prefix(limit).map(\.element)
    }

    /// The rules that passed the flow on to the next tier, in the order of tiers.
    func passes(_ side: FlowSide) -> [RuleReference] {
        var passes: [RuleReference] = []
        for tier in Tier.allCases {
            // "Baseline is not asked for a pod isolated in the normal tier."
            if tier > .normal, isIsolated { break }
            let matching = rules.indices.filter { rules[$0].tier == tier && rules[$0].matches(side) }
            let level = firstMatches(matching)
            guard let first = level.first else { continue }
            // Among several of one priority, Deny and Accept beat Pass.
            guard level.allSatisfy({ rules[$0].action == .pass }) else { break }
            passes.append(RuleReference(first, rules[first]))
        }
        return passes
    }

    /// Rules that also match the flow but are overridden by the deciding one: allow rules by a deny, deny rules by an allow
    /// of higher precedence.
    func overridden(_ side: FlowSide, by deciding: Int) -> [RuleReference] {
        let winner = rules[deciding]
        let loser: RuleAction = winner.action == .deny ? .allow : .deny
        return rules.indices.filter {
            let rule = rules[$0]
            // No rule of an earlier level matched, or one passed the flow on.
            return rule.action == loser && (rule.tier, rule.priority) >= (winner.tier, winner.priority)
                && rule.matches(side)
        }.map { RuleReference($0, rules[$0]) }
    }
}

extension [FailedCondition] {
    /// 1 for a rule that no flow can match.
    fileprivate var rank: Int { contains { $0.kind == .unsatisfiable } ? 1 : 0 }
}
