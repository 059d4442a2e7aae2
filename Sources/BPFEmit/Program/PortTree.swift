import PolicyAPI

/// Intervals of `protocol << 16 | port` in ascending order, each with the tests for its packets.
struct PortTree {
    /// An interval; it ends where the next one starts.
    struct Leaf {
        var start: UInt32
        var tests: DecisionGraph.Node
    }

    /// At least one; the first starts at 0. Neighbours have different tests.
    private(set) var leaves: [Leaf] = []

    /// Adds the interval that starts at `start`; merges it with the one before if nothing differs.
    mutating func append(start: UInt32, tests: DecisionGraph.Node) {
        if leaves.last?.tests != tests { leaves.append(Leaf(start: start, tests: tests)) }
    }
}
