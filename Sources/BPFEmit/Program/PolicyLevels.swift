import PolicyAPI

/// Pass 3, sort levels: the bits of a policy by tier, level (priority) and object, as runs of one kind in the order they are
/// asked in.
///
/// Afterwards only tiers that are asked are left, and bits that somebody can match; the order of a run's bits makes no
/// difference.
struct PolicyLevels: Equatable {
    /// What a matching bit does. In the order of asking where nothing else orders bits.
    enum Kind: UInt8, CaseIterable, Comparable {
        case deny
        case allow
        case host
        case l7
        case pass

        init(_ bit: RuleBit) {
            switch bit.action {
            case .deny: self = .deny
            case .allow: self = bit.isL7 ? .l7 : .allow
            case .pass: self = .pass
            }
        }

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// The bits of one word that are asked together. Never all zero.
    struct WordMask: Equatable {
        var word: Int
        /// Bits that the remote's entry in `peers` decides.
        var specific: UInt64 = 0
        /// Bits whose peers are everybody.
        var everyone: UInt64 = 0
    }

    /// Neighbours of one kind: which of them matches first makes no difference.
    struct Run: Equatable {
        var kind: Kind
        /// By word, ascending.
        var masks: [WordMask]
    }

    /// The bits of one tier and priority.
    struct Level: Equatable {
        /// By object. Rules of objects without an order of their own stand together as one object.
        var objects: [[Run]]
        /// Its bits with DNS rules, by word.
        var reads: [WordMask] = []
    }

    /// The levels of each tier that is asked, in order of asking; levels without bits are left out.
    let tiers: [[Level]]
    /// Whether what no bit decides is denied.
    let isIsolated: Bool

    /// - Complexity: O(n log n) for n bits.
    init(_ policy: PolicyBits, carried: CarriedBits) {
        isIsolated = !policy.isolatedBy.isEmpty
        // An isolated subject denies by default after the normal tier: baseline is never asked.
        let asked: [Tier] = isIsolated ? [.admin, .normal] : [.admin, .normal, .baseline]
        tiers = asked.map { PolicyLevels.levels(of: $0, policy, carried) }
    }

    /// Levels that are already sorted.
    init(tiers: [[Level]], isIsolated: Bool) {
        self.tiers = tiers
        self.isIsolated = isIsolated
    }

    fileprivate struct Item {
        var number: Int
        var order: UInt32
        var kind: Kind
        var isEveryone: Bool
    }

    private static func levels(of tier: Tier, _ policy: PolicyBits, _ carried: CarriedBits) -> [Level] {
        var levels: [UInt32: [Item]] = [:]
        var lastPriority: UInt32 = 0
        for (number, bit) in policy.bits.enumerated() where bit.tier == tier {
            lastPriority = max(lastPriority, bit.priority)
            guard bit.matchesAnyPeer || carried.contains(number) else { continue }
            levels[bit.priority, default: []].append(
                Item(number: number, order: bit.order, kind: Kind(bit.rule), isEveryone: bit.matchesAnyPeer))
        }
        // The node's way to its pods stands in the last level of the normal tier, before its L7 rules.
        if tier == .normal, let host = policy.hostBit, carried.contains(host) {
            levels[lastPriority, default: []].append(Item(number: host, order: 0, kind: .host, isEveryone: false))
        }
        return levels.sorted { $0.key < $1.key }.map { _, items in
            let reads = items.filter { $0.number < policy.bits.count && policy.bits[$0.number].rule.isDNS }
            return Level(objects: objects(items, policy).map(runs), reads: runs(reads).first?.masks ?? [])
        }
    }

    private static func objects(_ items: [Item], _ policy: PolicyBits) -> [[Item]] {
        // So it is in the normal tier, which alone has a host bit.
        guard items.contains(where: { $0.order > 0 }) else { return [items] }
        var objects: [[Item]] = []
        // Bits come in the order of `PolicyRule.precedes`, so an object's stand together.
        for item in items {
            if let last = objects.last?.last,
                policy.bits[last.number].rule.origin.isSameObject(as: policy.bits[item.number].rule.origin)
            {
                objects[objects.count - 1].append(item)
            } else {
                objects.append([item])
            }
        }
        return objects
    }

    private static func runs(_ items: [Item]) -> [Run] {
        var runs: [Run] = []
        for item in items.sorted(by: { ($0.order, $0.kind, $0.number) < ($1.order, $1.kind, $1.number) }) {
            if runs.last?.kind != item.kind { runs.append(Run(kind: item.kind, masks: [])) }
            runs[runs.count - 1].add(item)
        }
        return runs
    }
}

extension PolicyLevels.Run {
    fileprivate mutating func add(_ item: PolicyLevels.Item) {
        let word = item.number / 64
        let bit: UInt64 = 1 << UInt64(item.number % 64)
        // Bits are in order of precedence, so numbers ascend within a run: a word is the last one of the list or new.
        if masks.last?.word != word { masks.append(PolicyLevels.WordMask(word: word)) }
        if item.isEveryone {
            masks[masks.count - 1].everyone |= bit
        } else {
            masks[masks.count - 1].specific |= bit
        }
    }
}
