import CNetpoldABI

/// A walk over the regions of all endpoints that forgets flows that are over, a part at a time.
struct FlowCollection: Sendable {
    /// What was found in an endpoint's region.
    struct Use: Hashable, Sendable {
        let region: FlowRegion
        /// Flows that are there, and those of them that somebody has answered.
        var used = 0
        var answered = 0
    }

    /// Flows looked at so far, and those of them that were forgotten.
    private(set) var seen = 0
    private(set) var removed = 0
    /// By slot.
    private(set) var uses: [UInt32: Use] = [:]
    private let now: KernelClock.Reading
    /// What is still to be walked, the next last.
    private var pending: [(slot: UInt32, sets: Range<Int>, region: FlowRegion)]

    /// A walk over these regions.
    init(_ regions: EndpointRegions, now: KernelClock.Reading) {
        self.now = now
        pending = regions.current.sorted { $0.key > $1.key }.map { ($0.key, $0.value.range, $0.value) }
    }

    /// Whether everything has been walked.
    var isComplete: Bool { pending.isEmpty }

    /// Walks at most so many sets, beside programs that use the same flows.
    ///
    /// - Throws: when sets cannot be mapped; they are still to be walked then.
    mutating func step(_ flows: FlowMap, sets limit: Int) throws(BPFError) {
        var left = limit
        while left > 0, let next = pending.last {
            let part = next.sets.prefix(left)
            walk(try flows.mapped(part), part, next.slot, next.region)
            left -= part.count
            pending.removeLast()
            if part.count < next.sets.count {
                pending.append((next.slot, next.sets.dropFirst(part.count), next.region))
            }
        }
    }

    private mutating func walk(_ table: FlowTable, _ sets: Range<Int>, _ slot: UInt32, _ region: FlowRegion) {
        var use = uses[slot] ?? Use(region: region)
        for set in sets {
            for way in 0..<table.layout.ways {
                guard let entry = table.entry(set, way) else { continue }
                seen += 1
                // Read a moment ago, not when the walk began: a flow that woke up meanwhile stays.
                if entry.record.isOver(at: now), table.remove(entry) {
                    removed += 1
                } else {
                    use.used += 1
                    if entry.record.isAnswered { use.answered += 1 }
                }
            }
        }
        uses[slot] = use
    }
}
