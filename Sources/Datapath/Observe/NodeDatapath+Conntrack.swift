public import BPFEmit
import CNetpoldABI
import NetTypes

extension NodeDatapath {
    /// Sets that a part of a collection walks: a millisecond or so, so that a change need not wait for the whole.
    private static let setsOfPart = 4096

    /// Forgets flows that have been silent for too long, so that new ones need not push others out.
    ///
    /// - Parameter now: a reading of the clock of the kernel that holds the flows.
    /// - Returns: how many flows were looked at, how many of them were forgotten, and what each endpoint has.
    /// - Throws: when a region that has become too small cannot be exchanged for a larger one; the flows are forgotten then.
    public func collectConntrack(now: KernelClock.Reading) throws(BPFError) -> ConntrackCollection {
        var walk = FlowCollection(regions, now: now)
        try walk.step(maps.flows, sets: .max)
        return try finish(walk, seen: walk.seen, removed: walk.removed)
    }

    /// Goes on forgetting flows that have been silent for too long, as of the time when the walk over the table began: a part
    /// of it, so that nothing else has to wait long. A walk that is over begins again.
    public func collectConntrack() throws(BPFError) -> ConntrackCollection {
        var walk: FlowCollection
        if let begun = collection {
            walk = begun
        } else {
            walk = FlowCollection(regions, now: try flowClock())
        }
        let before = (seen: walk.seen, removed: walk.removed)
        try walk.step(maps.flows, sets: Self.setsOfPart)
        let seen = walk.seen - before.seen
        let removed = walk.removed - before.removed
        guard walk.isComplete else {
            collection = walk
            return ConntrackCollection(seen: seen, removed: removed, isComplete: false)
        }
        collection = nil
        return try finish(walk, seen: seen, removed: removed)
    }

    /// After a walk: endpoints whose region has become too small get a larger one.
    private func finish(_ walk: FlowCollection, seen: Int, removed: Int) throws(BPFError) -> ConntrackCollection {
        let moved = try growRegions(walk.uses)
        try collectProxied()
        try collectHellos()
        return ConntrackCollection(
            seen: seen, removed: removed, shares: try shares(walk.uses), moved: moved, isComplete: true)
    }
}
