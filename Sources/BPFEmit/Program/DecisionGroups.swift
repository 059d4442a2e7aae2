import PolicyAPI

/// The bits of a policy sorted into the groups that are asked one after the other.
struct DecisionGroups {
    /// What a matching bit does. In the order of asking where nothing else orders bits.
    enum Kind: UInt8, Comparable {
        case deny
        case allow
        case host
        case l7
        case pass

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// The bits of one word that belong to a group.
    struct WordMask {
        var word: Int
        /// Bits that the remote's entry in `peers` decides.
        var specific: UInt64 = 0
        /// Bits whose peers are everybody.
        var everyone: UInt64 = 0
    }

    /// Bits that are asked together.
    struct Group {
        /// What a hit leads to.
        enum Hit: Hashable {
            /// An answer that names the lowest bit.
            case answer(DecisionGraph.Outcome)
            /// The pass for the local node.
            case host
            /// The next tier.
            case endOfTier
            /// The group of this index in the tier; its number of groups for what follows the tier.
            case group(Int)
        }

        var hit: Hit
        /// By word, ascending; no all-zero mask.
        var masks: [WordMask]
    }

    /// The groups of each tier that is asked, in order of asking.
    let tiers: [[Group]]

    /// - Parameters:
    ///   - bits: The policy.
    ///   - carried: The union of all `peers` entries: what no identity carries need not be asked.
    init(_ bits: PolicyBits, carried: [UInt64]) {
        // An isolated subject denies by default after the normal tier: baseline is never asked.
        let asked: [Tier] = bits.isolatedBy.isEmpty ? [.admin, .normal, .baseline] : [.admin, .normal]
        tiers = asked.map { tier in
            var groups: [Group] = []
            for level in LevelRuns.levels(of: tier, bits, carried: carried) {
                DecisionGroups.append(level, to: &groups)
            }
            return groups
        }
    }

    /// The groups of a level. One object is asked in its own order. Of several, each answers by its first match, and of the
    /// answers the strongest kind wins: so every kind is asked for by itself, object after object, and a first match of
    /// another kind ends the object.
    private static func append(_ level: LevelRuns, to groups: inout [Group]) {
        guard level.objects.count > 1 else {
            groups += level.objects.joined().map { Group(hit: $0.kind.hit, masks: $0.masks) }
            return
        }
        for kind in [Kind.deny, .allow, .l7] {
            for runs in level.objects {
                guard let last = runs.lastIndex(where: { $0.kind == kind }) else { continue }
                // A first match of a stronger kind has been answered already.
                let asked = runs[...last].filter { $0.kind >= kind }
                let end = groups.count + asked.count
                groups += asked.map { Group(hit: $0.kind == kind ? kind.hit : .group(end), masks: $0.masks) }
            }
        }
        let passes = level.objects.joined().filter { $0.kind == .pass }
        groups += passes.map { Group(hit: .endOfTier, masks: $0.masks) }
    }
}

extension DecisionGroups.Kind {
    init(_ bit: RuleBit) {
        switch bit.action {
        case .deny: self = .deny
        case .allow: self = bit.isL7 ? .l7 : .allow
        case .pass: self = .pass
        }
    }

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
