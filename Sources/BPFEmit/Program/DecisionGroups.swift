import PolicyIR

/// The bits of a policy sorted into the groups that are asked one after the other.
struct DecisionGroups {
    /// What a matching bit of a group does. In the order of asking within a level.
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

    /// Bits of one level and kind.
    struct Group {
        var kind: Kind
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
        tiers = asked.map { tier in Self.groups(of: tier, bits, carried) }
    }

    private struct Rank: Hashable, Comparable {
        var priority: UInt32
        var kind: Kind

        static func < (left: Rank, right: Rank) -> Bool {
            left.priority == right.priority ? left.kind < right.kind : left.priority < right.priority
        }
    }

    private static func groups(of tier: Tier, _ bits: PolicyBits, _ carried: [UInt64]) -> [Group] {
        var masks: [Rank: [WordMask]] = [:]
        var lastPriority: UInt32 = 0
        func add(_ number: Int, _ rank: Rank, everyone: Bool) {
            let word = number / 64
            let bit: UInt64 = 1 << UInt64(number % 64)
            if !everyone && (word >= carried.count || carried[word] & bit == 0) { return }
            var list = masks[rank] ?? []
            masks[rank] = nil  // Keeps the list unshared, so that appending does not copy it.
            // Bits come in ascending order, so a word is either the last one of the list or new.
            if list.last?.word != word { list.append(WordMask(word: word)) }
            if everyone {
                list[list.count - 1].everyone |= bit
            } else {
                list[list.count - 1].specific |= bit
            }
            masks[rank] = list
        }
        for (number, bit) in bits.bits.enumerated() where bit.tier == tier {
            lastPriority = max(lastPriority, bit.priority)
            add(number, Rank(priority: bit.priority, kind: Kind(bit.rule)), everyone: bit.matchesAnyPeer)
        }
        // The node's way to its pods stands in the last level of the normal tier, before its L7 rules.
        if tier == .normal, let host = bits.hostBit {
            add(host, Rank(priority: lastPriority, kind: .host), everyone: false)
        }
        return masks.sorted { $0.key < $1.key }.map { Group(kind: $0.key.kind, masks: $0.value) }
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
}
