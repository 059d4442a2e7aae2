/// Which sets of np_flow_sets are whose: a buddy allocator. Pure; two regions that it has handed out never overlap.
struct FlowRegions: Sendable {
    /// Sets of the whole table; a power of two.
    let sets: Int
    /// By size (the exponent of two), the first sets of free blocks. A block and its buddy are never both here.
    private var free: [Set<UInt32>]
    /// What has been handed out or adopted.
    private(set) var taken: Set<FlowRegion> = []

    /// A table of which nothing is taken. Of a number of sets that is no power of two only the largest one below is used.
    init(sets: Int) {
        let exponent = sets < 1 ? 0 : min(29, Int.bitWidth - 1 - sets.leadingZeroBitCount)
        self.sets = sets < 1 ? 0 : 1 << exponent
        free = Array(repeating: [], count: exponent + 1)
        if sets >= 1 { free[exponent].insert(0) }
    }

    /// Sets that nobody has.
    var freeSets: Int { free.enumerated().reduce(0) { $0 + $1.element.count << $1.offset } }

    /// Sets of the largest region that could be handed out now; 0 when there is none.
    var largestFree: Int { free.lastIndex { !$0.isEmpty }.map { 1 << $0 } ?? 0 }

    /// Hands out a region of `sets` sets, a power of two: from the smallest free block that has room; `nil` when none has.
    mutating func allocate(_ sets: Int) -> FlowRegion? {
        precondition(sets.nonzeroBitCount == 1 && sets > 0, "\(sets) is no power of two")
        guard let block = free.indices.first(where: { 1 << $0 >= sets && !free[$0].isEmpty }),
            let first = free[block].min(), let region = FlowRegion(first: first, sets: UInt32(sets))
        else { return nil }
        take(region, from: block)
        return region
    }

    /// Hands out `sets` sets, or half of them if there is no room, and so on; `nil` when the table is full.
    mutating func allocate(upTo sets: Int) -> FlowRegion? {
        let largest = largestFree
        return largest == 0 ? nil : allocate(min(sets, largest))
    }

    /// Takes a region that an earlier process had handed out; false, and nothing is changed, when it is not in the table or
    /// overlaps what is taken.
    mutating func adopt(_ region: FlowRegion) -> Bool {
        let exponent = region.sets.trailingZeroBitCount
        for block in free.indices where block >= exponent && free[block].contains(region.first(ofBlock: block)) {
            take(region, from: block)
            return true
        }
        return false
    }

    /// Gives a region back.
    mutating func release(_ region: FlowRegion) {
        guard taken.remove(region) != nil else { preconditionFailure("\(region) is not taken") }
        var first = region.first
        var block = region.sets.trailingZeroBitCount
        while block < free.count - 1, free[block].remove(first ^ 1 << UInt32(block)) != nil {
            first &= ~(1 << UInt32(block))
            block += 1
        }
        free[block].insert(first)
    }

    /// Splits the free block of size `block` around a region until it is the region.
    private mutating func take(_ region: FlowRegion, from block: Int) {
        var first = region.first(ofBlock: block)
        free[block].remove(first)
        for half in (region.sets.trailingZeroBitCount..<block).reversed() {
            let middle = first + 1 << UInt32(half)
            if region.first >= middle {
                free[half].insert(first)
                first = middle
            } else {
                free[half].insert(middle)
            }
        }
        taken.insert(region)
    }
}
