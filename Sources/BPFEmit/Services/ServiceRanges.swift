/// Which entries of np_maglev are in use. A range in use is never written again: a new table gets another one, and what it
/// replaces is free once no program can be reading it any more.
struct ServiceRanges: Sendable {
    /// A run of entries.
    struct Run: Hashable, Sendable {
        var first: UInt32
        var count: UInt32
        var end: UInt32 { first + count }
    }

    private let capacity: UInt32
    /// In use or leaving, sorted by their first entry, none over another.
    private var taken: [Run] = []
    /// So many of them, from the first entry on, leave none free between them.
    private var solid = 0
    private var leaving: [Run] = []

    init(capacity: Int) { self.capacity = UInt32(capacity) }

    /// The first run of free entries of this size; `nil` when there is none.
    mutating func allocate(_ count: Int) -> Run? {
        let count = UInt32(count)
        var first = solidEnd
        for place in solid..<taken.count {
            if taken[place].first - first >= count { return insert(Run(first: first, count: count), at: place) }
            first = taken[place].end
        }
        guard capacity - first >= count else { return nil }
        return insert(Run(first: first, count: count), at: taken.count)
    }

    /// The first entry behind the runs that leave none free.
    private var solidEnd: UInt32 { solid == 0 ? 0 : taken[solid - 1].end }

    private mutating func insert(_ run: Run, at place: Int) -> Run {
        taken.insert(run, at: place)
        grow()
        return run
    }

    /// Counts the runs that follow those that leave no entry free.
    private mutating func grow() {
        while solid < taken.count, taken[solid].first == solidEnd { solid += 1 }
    }

    /// Takes a run that is in use already. False: it is not of this map, or part of another one.
    mutating func adopt(_ run: Run) -> Bool {
        guard run.count > 0, run.count <= capacity, run.first <= capacity - run.count else { return false }
        let place = taken.firstIndex { $0.first >= run.first } ?? taken.count
        if place < taken.count, taken[place].first < run.end { return false }
        if place > 0, taken[place - 1].end > run.first { return false }
        _ = insert(run, at: place)
        return true
    }

    /// Gives a run back. It is free after `releaseLeaving`.
    mutating func retire(_ run: Run) { leaving.append(run) }

    /// No program reads what was given back.
    mutating func releaseLeaving() {
        let gone = Set(leaving)
        taken.removeAll { gone.contains($0) }
        leaving = []
        solid = 0
        grow()
    }

    /// Entries that are in use or leaving.
    var used: Int { taken.reduce(0) { $0 + Int($1.count) } }
}
