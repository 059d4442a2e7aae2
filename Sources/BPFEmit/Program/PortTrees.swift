import PolicyAPI

/// Pass 6, build the graph: which tests the packets of each interval go through, for remotes that rules name and for the
/// others.
///
/// Afterwards each class of packets has one leaf, neighbouring leaves have different tests, and equal tests are one node of
/// the graph.
struct PortTrees {
    /// The tests.
    let graph: DecisionGraph
    /// For remotes with an entry in `peers`; `nil` when there is no such map.
    let known: PortTree?
    /// For the others.
    let unknown: PortTree

    /// Builds the trees; `hasPeers` says whether there is a `peers` map.
    ///
    /// - Complexity: O(intervals * words of all groups).
    init(_ partition: TrafficPartition, _ groups: DecisionGroups, hasPeers: Bool) {
        var graph = DecisionGraph()
        var known = PortTree()
        var unknown = PortTree()
        partition.forEachInterval { start, active in
            if hasPeers { known.append(start: start, tests: graph.tests(groups, active: active, hit: true)) }
            unknown.append(start: start, tests: graph.tests(groups, active: active, hit: false))
        }
        self.graph = graph
        self.known = hasPeers ? known : nil
        self.unknown = unknown
    }

    /// Trees that are already made.
    init(graph: DecisionGraph, known: PortTree?, unknown: PortTree) {
        self.graph = graph
        self.known = known
        self.unknown = unknown
    }
}

/// Intervals of `protocol << 16 | port` in ascending order, each with the tests for its packets.
struct PortTree {
    /// An interval; it ends where the next one starts.
    struct Leaf: Equatable {
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
