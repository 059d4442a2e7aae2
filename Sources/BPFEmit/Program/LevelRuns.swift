import PolicyAPI

/// The bits of one level, object by object, as runs of the same kind in the order they are asked in.
struct LevelRuns {
    /// Neighbours of one kind: which of them matches first makes no difference.
    struct Run {
        var kind: DecisionGroups.Kind
        /// By word, ascending; no all-zero mask.
        var masks: [DecisionGroups.WordMask]
    }

    /// Rules of objects without an order of their own stand together as one object.
    var objects: [[Run]]

    fileprivate struct Item {
        var number: Int
        var order: UInt32
        var kind: DecisionGroups.Kind
        var isEveryone: Bool
    }

    /// The levels of a tier, by priority. Bits that no identity carries are left out.
    static func levels(of tier: Tier, _ bits: PolicyBits, carried: [UInt64]) -> [LevelRuns] {
        var levels: [UInt32: [Item]] = [:]
        var lastPriority: UInt32 = 0
        func isCarried(_ number: Int) -> Bool {
            number / 64 < carried.count && carried[number / 64] >> UInt64(number % 64) & 1 == 1
        }
        for (number, bit) in bits.bits.enumerated() where bit.tier == tier {
            lastPriority = max(lastPriority, bit.priority)
            guard bit.matchesAnyPeer || isCarried(number) else { continue }
            levels[bit.priority, default: []].append(
                Item(
                    number: number, order: bit.order, kind: DecisionGroups.Kind(bit.rule),
                    isEveryone: bit.matchesAnyPeer))
        }
        // The node's way to its pods stands in the last level of the normal tier, before its L7 rules.
        if tier == .normal, let host = bits.hostBit, isCarried(host) {
            levels[lastPriority, default: []].append(Item(number: host, order: 0, kind: .host, isEveryone: false))
        }
        return levels.sorted { $0.key < $1.key }.map { _, items in
            LevelRuns(objects: objects(items, bits).map(runs))
        }
    }

    private static func objects(_ items: [Item], _ bits: PolicyBits) -> [[Item]] {
        guard items.contains(where: { $0.order > 0 }) else { return [items] }
        var objects: [[Item]] = []
        // Bits come in the order of `PolicyRule.precedes`, so an object's stand together.
        for item in items {
            if let last = objects.last?.last,
                bits.bits[last.number].rule.origin.isSameObject(as: bits.bits[item.number].rule.origin)
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

extension LevelRuns.Run {
    fileprivate mutating func add(_ item: LevelRuns.Item) {
        let word = item.number / 64
        let bit: UInt64 = 1 << UInt64(item.number % 64)
        // Numbers ascend within a run, so a word is either the last one of the list or new.
        if masks.last?.word != word { masks.append(DecisionGroups.WordMask(word: word)) }
        if item.isEveryone {
            masks[masks.count - 1].everyone |= bit
        } else {
            masks[masks.count - 1].specific |= bit
        }
    }
}
