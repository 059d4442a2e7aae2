/// Pass 4, group decisions: the bits of a policy in groups that are asked one after the other.
///
/// Afterwards the first group with a matching bit decides, whatever the tiers, priorities and objects: a group either answers
/// or says where to go on.
struct DecisionGroups: Equatable {
    /// A verdict and why, without the bit.
    struct Outcome: Hashable {
        var verdict: PolicyVerdict
        var decision: PolicyDecision
    }

    /// Bits that are asked together.
    struct Group: Equatable {
        /// What a hit leads to.
        enum Hit: Hashable {
            /// An answer that names the lowest bit.
            case answer(Outcome)
            /// The pass for the local node.
            case host
            /// The next tier.
            case endOfTier
            /// The group of this index in the tier; its number of groups for what follows the tier.
            case group(Int)
        }

        var hit: Hit
        /// By word, ascending; no all-zero mask.
        var masks: [PolicyLevels.WordMask]
        /// Of plain allow bits: the DNS bits of the level. Where one matches as well, the answer is `allowRead`.
        var reads: [PolicyLevels.WordMask] = []
    }

    /// The groups of each tier that is asked, in order of asking.
    let tiers: [[Group]]
    /// What holds when no group decides.
    let fallback: Outcome

    /// - Complexity: O(runs); those of a level with several objects are taken once a kind.
    init(_ levels: PolicyLevels) {
        tiers = levels.tiers.map { tier in tier.reduce(into: []) { DecisionGroups.append($1, to: &$0) } }
        fallback =
            levels.isIsolated
            ? Outcome(verdict: .deny, decision: .defaultDeny) : Outcome(verdict: .allow, decision: .defaultAllow)
    }

    /// Groups that are already made.
    init(tiers: [[Group]], fallback: Outcome) {
        self.tiers = tiers
        self.fallback = fallback
    }

    /// The groups of a level. One object is asked in its own order. Of several, each answers by its first match, and of the
    /// answers the strongest kind wins: so every kind is asked for by itself, object after object, and a first match of
    /// another kind ends the object.
    private static func append(_ level: PolicyLevels.Level, to groups: inout [Group]) {
        guard level.objects.count > 1 else {
            groups += level.objects.joined().map { run in
                Group(hit: run.kind.hit, masks: run.masks, reads: run.kind == .allow ? level.reads : [])
            }
            return
        }
        for kind in PolicyLevels.Kind.allCases {
            switch kind {
            case .deny, .allow, .l7:
                for runs in level.objects {
                    guard let last = runs.lastIndex(where: { $0.kind == kind }) else { continue }
                    // A first match of a stronger kind has been answered already.
                    let asked = runs[...last].filter { $0.kind >= kind }
                    let end = groups.count + asked.count
                    groups += asked.map { Group(hit: $0.kind == kind ? kind.hit : .group(end), masks: $0.masks) }
                }
            case .host:
                // Belongs to the normal tier, whose levels are one object each.
                continue
            case .pass:
                let passes = level.objects.joined().filter { $0.kind == .pass }
                groups += passes.map { Group(hit: kind.hit, masks: $0.masks) }
            }
        }
    }
}

extension PolicyLevels.Kind {
    /// What a hit leads to.
    fileprivate var hit: DecisionGroups.Group.Hit {
        switch self {
        case .deny: .answer(.init(verdict: .deny, decision: .rule))
        case .allow: .answer(.init(verdict: .allow, decision: .rule))
        case .l7: .answer(.init(verdict: .l7, decision: .rule))
        case .host: .host
        case .pass: .endOfTier
        }
    }
}
