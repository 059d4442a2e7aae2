import BPFEmit
import NetTypes

/// Hands out ranges of np_rule_hits to programs, and keeps what retired programs counted.
final class RuleHits {
    private let map: BPFMap
    /// Ranges in use or in quarantine.
    private(set) var index = RuleHitIndex()
    /// Ranges whose program is gone. Their meaning is kept until the next apply, for events not read yet.
    private var quarantine: [RuleHitIndex.Entry] = []
    private var retired: [RuleHitKey: UInt64] = [:]
    /// Whether programs of an earlier process may be running.
    private var othersRun = true

    /// Counters of a map. Programs of an earlier process may run under `others`: what names and the proxy know by a base must not be
    /// another program's meanwhile.
    init(map: BPFMap, keeping others: Set<UInt32>) {
        self.map = map
        index.keep(others)
    }

    /// The lowest free range, or `nil` when there is none long enough: the program then counts nothing.
    func allocate(for image: PolicyImage, subject: String, direction: Direction) -> RuleHitIndex.Entry? {
        index.take(
            count: image.hitCount, capacity: map.shape.capacity, subject: subject, direction: direction,
            bits: image.bits, isolatedBy: image.isolatedBy)
    }

    /// Keeps what a program counted. It must not run any more.
    func retire(_ range: RuleHitIndex.Entry) throws(BPFError) {
        for (key, count) in try read(range) { retired[key, default: 0] += count }
        quarantine.append(range)
    }

    /// Gives back a range that no program ever used.
    func discard(_ range: RuleHitIndex.Entry) { index.remove(range) }

    /// Makes quarantined ranges free again, zeroed, but for those by whose base the proxy still knows flows: to another program's rules
    /// it would hold these. `proxied` is asked for them when it matters.
    func releaseQuarantine(_ proxied: () throws(BPFError) -> Set<UInt32>) throws(BPFError) {
        let asks = quarantine.contains(where: \.isNamed) || !othersRun && index.entries.contains(where: \.isKept)
        let named = asks ? try proxied() : []
        if !othersRun { index.releaseKept(except: named) }
        let held = quarantine.filter { named.contains($0.base) }
        quarantine = held + quarantine.filter { !named.contains($0.base) }
        while quarantine.count > held.count, let range = quarantine.last {
            try map.clearPerCPU(first: range.base, count: range.count)
            index.remove(range)
            quarantine.removeLast()
        }
    }

    /// Zeroes everything: after adopting maps whose ranges an earlier process handed out, none of whose programs runs any more.
    func clearAll() throws(BPFError) {
        othersRun = false
        try map.clearPerCPU(first: 0, count: map.shape.capacity)
    }

    /// Packets by what decided them, retired programs included; zero ones left out.
    func totals() throws(BPFError) -> [RuleHitKey: UInt64] {
        var totals = retired
        let quarantined = Set(quarantine.map(\.base))
        // One walk over the whole map is faster than a call for each counter.
        for (number, perCPU) in try map.perCPUEntries(value: UInt64(0)) {
            let count = perCPU.reduce(0, &+)
            guard count > 0, let range = index.entry(of: number), !quarantined.contains(range.base),
                let key = range.key(offset: Int(number - range.base))
            else { continue }
            totals[key, default: 0] += count
        }
        return totals
    }

    /// Counters handed out.
    var used: Int { index.entries.lazy.filter { !$0.isKept }.reduce(0) { $0 + $1.count } }

    private func read(_ range: RuleHitIndex.Entry) throws(BPFError) -> [RuleHitKey: UInt64] {
        var result: [RuleHitKey: UInt64] = [:]
        for offset in 0..<range.count {
            let perCPU = try map.perCPUValues(of: range.base + UInt32(offset), value: UInt64(0))
            let count = perCPU.reduce(0, &+)
            guard count > 0, let key = range.key(offset: offset) else { continue }
            result[key, default: 0] += count
        }
        return result
    }
}
