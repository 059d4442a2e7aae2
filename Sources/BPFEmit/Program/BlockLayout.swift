import PolicyAPI

/// Pass 7, lay out blocks: the order in which the code of a policy stands, and the jumps in it.
///
/// Afterwards every node that a tree leads to stands in it once, behind the last jump to it. So all jumps go forward, and the
/// verifier sees each instruction about once, whatever the number of rules.
struct BlockLayout {
    /// What jumps go to, besides the answer: numbered from 0 in the order of the first jump there.
    typealias Place = Int

    /// A piece of code. It runs into the next one where it does not answer or jump.
    enum Block: Hashable {
        /// Jumps to the place arrive here.
        case place(Place)
        /// Loads what `split` compares.
        case loadTraffic
        /// A step of the port tree: jumps with the keys from this one on, or with those below.
        case split(from: UInt32, jumping: Side, to: Place)
        /// Answers with the lowest bit of `(value & specific) | everyone` if there is one, an L7 outcome with all of them; there
        /// always is one when nothing follows.
        case test(word: Int, specific: UInt64, everyone: UInt64, DecisionGroups.Outcome, isLast: Bool)
        /// Leaves the bits of a test and its answer for the `end` that several tests have in common.
        case bits(word: Int, specific: UInt64, DecisionGroups.Outcome)
        /// Answers with the lowest bit of `value & bits` if there is one, L7 outcomes with all of them.
        case end(word: Int, isL7: Bool)
        /// Jumps when `value & specific` is not 0, or when it is.
        case branch(word: Int, specific: UInt64, Purpose, jumping: Condition, to: Place)
        /// Answers with a decision that no rule took.
        case fallback(DecisionGroups.Outcome)
        /// Goes elsewhere.
        case jump(to: Place)
    }

    /// Which keys of a `split` jump.
    enum Side: Hashable {
        case below
        case atLeast
    }

    /// Which packets of a `branch` jump.
    enum Condition: Hashable {
        case match
        case noMatch
    }

    /// What a `branch` is for.
    enum Purpose: Hashable {
        /// The local node reaches its pods.
        case host
        /// A rule passes on to what follows the tier, or to a later group of it.
        case pass
        /// DNS rules cover the packet beside the plain rule that allows it.
        case read
    }

    /// For remotes with an entry in `peers`; `nil` when there is no such map.
    let known: [Block]?
    /// For the others. Stands behind `known`, and jumps of `known` may go here.
    let unknown: [Block]

    /// - Complexity: O(nodes + leaves).
    init(_ trees: PortTrees) {
        let leaves = [trees.known?.leaves ?? [], trees.unknown.leaves].joined()
        var placement = Placement(graph: trees.graph, edges: trees.graph.edgeCounts(from: leaves))
        known = trees.known.map { placement.blocks(of: $0) }
        unknown = placement.blocks(of: trees.unknown)
    }

    /// Blocks that are already in order.
    init(known: [Block]?, unknown: [Block]) {
        self.known = known
        self.unknown = unknown
    }
}

/// What is laid out so far.
private struct Placement {
    private let graph: DecisionGraph
    /// By node: how many ways to it are not yet laid out.
    private var edges: [Int]
    /// By node: its place, if a jump goes there.
    private var places: [BlockLayout.Place?]
    private var placeCount = 0
    /// Nodes only jumped to, whose last jump is laid out.
    private var due: [DecisionGraph.Node] = []
    private var blocks: [BlockLayout.Block] = []

    init(graph: DecisionGraph, edges: [Int]) {
        self.graph = graph
        self.edges = edges
        places = Array(repeating: nil, count: edges.count)
    }

    mutating func blocks(of tree: PortTree) -> [BlockLayout.Block] {
        blocks = tree.leaves.count > 1 ? [.loadTraffic] : []
        lay(tree.leaves[...])
        return blocks
    }

    private mutating func newPlace() -> BlockLayout.Place {
        defer { placeCount += 1 }
        return placeCount
    }

    private mutating func place(of node: DecisionGraph.Node) -> BlockLayout.Place {
        if let place = places[node] { return place }
        let place = newPlace()
        places[node] = place
        return place
    }

    /// Binary search: the left half, then the right half.
    private mutating func lay(_ leaves: ArraySlice<PortTree.Leaf>) {
        guard leaves.count > 1 else {
            if let leaf = leaves.first { lay(from: leaf.tests) }
            return
        }
        let middle = leaves.startIndex + leaves.count / 2
        let (left, right) = (leaves[..<middle], leaves[middle...])
        let from = leaves[middle].start
        // A half that is one leaf laid out elsewhere needs no code of its own.
        if let shared = sharedLeaf(left) {
            blocks.append(.split(from: from, jumping: .below, to: shared))
            lay(right)
        } else if let shared = sharedLeaf(right) {
            blocks.append(.split(from: from, jumping: .atLeast, to: shared))
            lay(left)
        } else {
            let half = newPlace()
            blocks.append(.split(from: from, jumping: .atLeast, to: half))
            lay(left)
            blocks.append(.place(half))
            lay(right)
        }
    }

    /// The one leaf of `leaves` if its tests are still to be reached another way; then one way is used up.
    private mutating func sharedLeaf(_ leaves: ArraySlice<PortTree.Leaf>) -> BlockLayout.Place? {
        guard leaves.count == 1, let node = leaves.first?.tests, edges[node] > 1 else { return nil }
        edges[node] -= 1
        return place(of: node)
    }

    /// The code that follows here: the nodes themselves where this is the last way to them, else a jump.
    private mutating func lay(from start: DecisionGraph.Node) {
        edges[start] -= 1
        due.append(start)
        while let first = due.popLast() {
            var current: DecisionGraph.Node? = first
            while let node = current {
                guard edges[node] == 0 else {
                    blocks.append(.jump(to: place(of: node)))
                    break
                }
                if let place = places[node] { blocks.append(.place(place)) }
                current = lay(node)
                if let next = current { edges[next] -= 1 }
            }
        }
    }

    /// Lays out one node; returns the one to go on with.
    private mutating func lay(_ node: DecisionGraph.Node) -> DecisionGraph.Node? {
        switch graph.steps[node] {
        case .test(let word, let specific, let everyone, let outcome, let next):
            blocks.append(
                .test(word: word, specific: specific, everyone: everyone, outcome, isLast: next == nil))
            return next
        case .branch(let word, let specific, let target, let next):
            let purpose = purpose(of: target)
            if edges[target] == 1, edges[next] > 1 {
                blocks.append(
                    .branch(word: word, specific: specific, purpose, jumping: .noMatch, to: place(of: next)))
                edges[next] -= 1
                return target
            }
            blocks.append(.branch(word: word, specific: specific, purpose, jumping: .match, to: place(of: target)))
            edges[target] -= 1
            if edges[target] == 0 { due.append(target) }
            return next
        case .fallback(let outcome):
            blocks.append(.fallback(outcome))
            return nil
        }
    }

    private func purpose(of target: DecisionGraph.Node) -> BlockLayout.Purpose {
        switch graph.steps[target] {
        case .fallback(let outcome): outcome.decision == .host ? .host : .pass
        case .test(_, _, _, let outcome, _): outcome.verdict == .allowRead ? .read : .pass
        case .branch: .pass
        }
    }
}
