import CNetpoldABI

/// Which region of np_flow_sets each endpoint has. Pure: what it decides becomes true when np_endpoints says so.
struct EndpointRegions: Sendable {
    /// Bounds of an endpoint's first region, in sets; it is smaller only where the table is.
    static let firstSizes = 64...4096

    private var table: FlowRegions
    /// By slot, the region that new flows go into.
    private(set) var current: [UInt32: FlowRegion] = [:]
    /// By slot, the region that an endpoint is leaving: what lives there is being copied.
    private(set) var left: [UInt32: FlowRegion] = [:]

    /// A table of so many sets, all of them nobody's.
    init(sets: Int) { table = FlowRegions(sets: sets) }

    /// Sets that nobody has.
    var freeSets: Int { table.freeSets }

    /// Sets of an endpoint's first region: a quarter of what is free, shared out among as many pods as there are. So most of
    /// the table is left for those that grow, and however many come one after the other, none finds it used up.
    static func firstSize(free: Int, pods: Int) -> Int {
        func share(of sets: Int) -> Int {
            let share = max(1, sets / max(pods, 8))
            return 1 << (Int.bitWidth - 1 - share.leadingZeroBitCount)
        }
        // Each of the first eight pods, for which a little less is free than for the one before, gets as much.
        if free / 4 / max(pods, 8) >= firstSizes.upperBound * 3 / 4 { return firstSizes.upperBound }
        let least = min(firstSizes.lowerBound, share(of: free / 2))
        return min(max(share(of: free / 4), least), firstSizes.upperBound)
    }

    /// Sets that no region shrinks below: all pods together keep a quarter of the table, however much of it some few have filled. A pod
    /// that is quiet at the moment would else lose what begins next, until its region has grown again.
    static func floor(sets: Int, pods: Int) -> Int {
        let share = max(1, sets / 4 / max(pods, 1))
        return min(
            max(1 << (Int.bitWidth - 1 - share.leadingZeroBitCount), firstSizes.lowerBound), firstSizes.upperBound)
    }

    // MARK: after a restart

    /// Takes over what np_endpoints says of a slot; false when it contradicts what was taken over before.
    mutating func adopt(_ region: FlowRegion, slot: UInt32) -> Bool {
        guard current[slot] == nil, table.adopt(region) else { return false }
        current[slot] = region
        return true
    }

    /// Takes over what np_flow_moves says of the slot of an endpoint that is moving; false likewise.
    mutating func adoptLeft(_ region: FlowRegion, slot: UInt32) -> Bool {
        guard left[slot] == nil, table.adopt(region) else { return false }
        left[slot] = region
        return true
    }

    // MARK: endpoints

    /// The region of a slot, which gets one if it has none.
    ///
    /// - Parameters:
    ///   - slot: of the endpoint.
    ///   - pods: how many endpoints there are going to be.
    ///   - sets: a new region has as many, a power of two, if that leaves an eighth of the table for pods that come.
    /// - Returns: `nil` when every set is somebody's, which needs more pods than sets; and whether the region is new, so that it has to be emptied before it is used.
    mutating func region(of slot: UInt32, pods: Int, atLeast sets: Int = 1) -> (region: FlowRegion, isNew: Bool)? {
        if let region = current[slot] { return (region, false) }
        let first = Self.firstSize(free: table.freeSets, pods: pods)
        var size = max(sets, first)
        while size > first, table.freeSets - size < kept { size = max(size / 2, first) }
        guard let region = table.allocate(upTo: size) else { return nil }
        current[slot] = region
        return (region, true)
    }

    /// Takes back a region that `region(of:)` has just handed out as a new one, and that could not be emptied.
    mutating func takeBack(newRegionOf slot: UInt32) {
        if let region = current.removeValue(forKey: slot) { table.release(region) }
    }

    /// Gives back the regions of endpoints that are not among `slots`. No program may be using them any more.
    mutating func release(except slots: Set<UInt32>) {
        for (slot, region) in current where !slots.contains(slot) {
            table.release(region)
            current[slot] = nil
        }
        for (slot, region) in left where !slots.contains(slot) {
            table.release(region)
            left[slot] = nil
        }
    }

    /// Sets that no region takes for being large: for the first regions of pods that come.
    private var kept: Int { table.sets / 8 }

    // MARK: shrinking

    /// Whether so little is left that regions which are hardly used should become smaller.
    var isScarce: Bool { table.freeSets <= table.sets / 4 }

    /// Gives an endpoint a region that is smaller by three quarters or more, which has to be emptied before it is used; `nil` when
    /// its flows would take more than an eighth of such a one, it would be below `floor`, or it is moving.
    mutating func shrink(_ slot: UInt32, used: Int, pods: Int) -> FlowRegion? {
        guard let old = current[slot], left[slot] == nil else { return nil }
        var size = Self.floor(sets: table.sets, pods: pods)
        while size * Int(NP_FLOW_WAYS) < used * 8 { size *= 2 }
        guard size * 4 <= Int(old.sets), let region = table.allocate(size) else { return nil }
        left[slot] = old
        current[slot] = region
        return region
    }

    // MARK: growth

    /// Whether the region of a slot could become larger.
    func canGrow(_ slot: UInt32) -> Bool { sizeToGrow(slot) != nil }

    /// Four times the sets, or twice, as long as an eighth of the table stays free for pods that come.
    private func sizeToGrow(_ slot: UInt32) -> Int? {
        guard let region = current[slot], left[slot] == nil else { return nil }
        return [4, 2].map { Int(region.sets) * $0 }
            .first { $0 <= table.largestFree && table.freeSets - $0 >= kept }
    }

    /// Gives an endpoint a larger region, which has to be emptied before it is used; `nil` when there is none, or it is moving.
    mutating func grow(_ slot: UInt32) -> FlowRegion? {
        guard let size = sizeToGrow(slot), let old = current[slot], let region = table.allocate(size) else {
            return nil
        }
        left[slot] = old
        current[slot] = region
        return region
    }

    /// Undoes `grow` or `shrink`, where np_endpoints was not written.
    mutating func cancelMove(of slot: UInt32) {
        guard let old = left[slot], let region = current[slot] else { return }
        table.release(region)
        current[slot] = old
        left[slot] = nil
    }

    /// Gives back the region that an endpoint has left. No program may be using it any more.
    mutating func finishMove(of slot: UInt32) {
        guard let old = left[slot] else { return }
        table.release(old)
        left[slot] = nil
    }
}
