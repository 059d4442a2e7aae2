import CNetpoldABI
import PolicyAPI

/// Writes the program of a policy.
///
///     r6  context                          r2  protocol << 16 | port, in the port trees
///     r0  the remote's entry in peers      r3  scratch for 64-bit masks
///     r1  matching bits of a word          r5  the answer for cb[3]
///
/// All jumps go forward, and every node of the graph is written once, behind the last jump to it. So the verifier sees each instruction
/// about once, whatever the number of rules.
struct PolicyProgramWriter {
    private let graph: DecisionGraph
    private var builder = ProgramBuilder()
    private var labels: [Label?]
    /// By node: how many edges to it are not yet written.
    private var edges: [Int]
    /// Nodes only jumped to, whose last jump is written.
    private var due: [DecisionGraph.Node] = []
    private var answer: Label

    init(graph: DecisionGraph) {
        self.graph = graph
        labels = Array(repeating: nil, count: graph.steps.count)
        edges = Array(repeating: 0, count: graph.steps.count)
        answer = builder.label("answer")
    }

    /// The program.
    ///
    /// - Parameters:
    ///   - known: For remotes that have an entry in `peers`; `nil` when there is no such map.
    ///   - unknown: For the others.
    mutating func program(known: PortTree?, unknown: PortTree) throws(AssemblyError) -> EncodedProgram {
        countEdges(from: (known?.leaves ?? []) + unknown.leaves)
        builder.move(.r6, .r1)
        if let known {
            let miss = builder.label("miss")
            writeLookup(miss: miss)
            builder.note(.remark("a remote that rules name"))
            write(known)
            builder.place(miss)
            builder.note(.remark("any other remote"))
        }
        write(unknown)
        writeAnswer()
        return try builder.assemble()
    }

    private mutating func countEdges(from leaves: [PortTree.Leaf]) {
        for leaf in leaves { edges[leaf.tests] += 1 }
        // Continuations have smaller indices, so every node is settled before those it leads to.
        for node in graph.steps.indices.reversed() where edges[node] > 0 {
            switch graph.steps[node] {
            case .test(_, _, _, _, let next):
                if let next { edges[next] += 1 }
            case .branch(_, _, let target, let next):
                edges[target] += 1
                edges[next] += 1
            case .fallback: break
            }
        }
    }

    private mutating func writeLookup(miss: Label) {
        builder.note(.remark("rule bits of the remote's identity"))
        builder.load(.word, .r1, .r6, ControlBlock.identity)
        let key = Int16(PeersLayout.keyBytes)
        builder.store(.word, .r10, -key, .r1)
        builder.move(.r2, .r10)
        builder.add(.r2, imm: Int32(-key))
        builder.load(.r1, map: .peers)
        builder.call(.mapLookup)
        builder.jump(.equal, .r0, imm: 0, to: miss)
    }

    private mutating func write(_ tree: PortTree) {
        if tree.leaves.count > 1 { builder.load(.word, .r2, .r6, ControlBlock.traffic) }
        write(tree.leaves[...])
    }

    /// Binary search: written as the left half, then the right half.
    private mutating func write(_ leaves: ArraySlice<PortTree.Leaf>) {
        guard leaves.count > 1 else {
            if let leaf = leaves.first { write(from: leaf.tests) }
            return
        }
        let middle = leaves.startIndex + leaves.count / 2
        let (left, right) = (leaves[..<middle], leaves[middle...])
        let from = leaves[middle].start
        builder.note(.split(from: from))
        // A half that is one leaf written elsewhere needs no code of its own.
        if let label = sharedLeaf(left) {
            builder.jump32(.below, .r2, imm: Int32(bitPattern: from), to: label)
            write(right)
        } else if let label = sharedLeaf(right) {
            builder.jump32(.atLeast, .r2, imm: Int32(bitPattern: from), to: label)
            write(left)
        } else {
            let label = builder.label("from \(from)")
            builder.jump32(.atLeast, .r2, imm: Int32(bitPattern: from), to: label)
            write(left)
            builder.place(label)
            write(right)
        }
    }

    /// The label of the one leaf of `leaves` if its tests are still to be reached another way; then one edge is used up.
    private mutating func sharedLeaf(_ leaves: ArraySlice<PortTree.Leaf>) -> Label? {
        guard leaves.count == 1, let node = leaves.first?.tests, edges[node] > 1 else { return nil }
        edges[node] -= 1
        return label(of: node)
    }

    /// Writes the code that follows here: the nodes themselves where this is the last way to them, else a jump.
    private mutating func write(from start: DecisionGraph.Node) {
        edges[start] -= 1
        due.append(start)
        while let first = due.popLast() {
            var current: DecisionGraph.Node? = first
            while let node = current {
                guard edges[node] == 0 else {
                    builder.jump(to: label(of: node))
                    break
                }
                if let label = labels[node] { builder.place(label) }
                current = write(node)
                if let next = current { edges[next] -= 1 }
            }
        }
    }

    private mutating func label(of node: DecisionGraph.Node) -> Label {
        if let label = labels[node] { return label }
        let label = builder.label("node \(node)")
        labels[node] = label
        return label
    }

    /// Writes one node; returns the one to go on with.
    private mutating func write(_ node: DecisionGraph.Node) -> DecisionGraph.Node? {
        switch graph.steps[node] {
        case .test(let word, let specific, let everyone, let outcome, let next):
            builder.note(.test(word: word, bits: specific | everyone, verdict: outcome.verdict))
            builder.move(.r5, imm: outcome.packed(word: word))
            if specific == 0 {
                builder.move(.r1, constant: everyone)
            } else {
                builder.load(.double, .r1, .r0, Int16(8 * word))
                builder.and(.r1, mask: specific, scratch: .r3)
                builder.or(.r1, bits: everyone, scratch: .r3)
            }
            if next == nil {
                builder.jump(to: answer)
            } else {
                builder.jump(.notEqual, .r1, imm: 0, to: answer)
            }
            return next
        case .branch(let word, let specific, let target, let next):
            builder.note(isFallback(target) ? .host(word: word, bits: specific) : .pass(word: word, bits: specific))
            builder.load(.double, .r1, .r0, Int16(8 * word))
            builder.and(.r1, mask: specific, scratch: .r3)
            if edges[target] == 1, edges[next] > 1 {
                builder.jump(.equal, .r1, imm: 0, to: label(of: next))
                edges[next] -= 1
                return target
            }
            builder.jump(.notEqual, .r1, imm: 0, to: label(of: target))
            edges[target] -= 1
            if edges[target] == 0 { due.append(target) }
            return next
        case .fallback(let outcome):
            builder.note(.fallback(decision: outcome.decision, verdict: outcome.verdict))
            builder.move(.r5, imm: outcome.packed(word: 0))
            builder.move(.r1, imm: 0)
            builder.jump(to: answer)
            return nil
        }
    }

    private func isFallback(_ node: DecisionGraph.Node) -> Bool {
        if case .fallback(let outcome) = graph.steps[node] { outcome.decision == .host } else { false }
    }

    /// Leaves the answer in cb and goes on with np_steps[NP_STEP_VERDICT], or returns when probed.
    private mutating func writeAnswer() {
        builder.place(answer)
        builder.note(.remark("answer with the lowest matching bit: the first rule of its group"))
        builder.move(.r2, .r1)
        builder.negate(.r2)
        builder.and(.r1, .r2)
        builder.store(.word, .r6, ControlBlock.identity, .r1)
        builder.shiftRight(.r1, imm: 32)
        builder.store(.word, .r6, ControlBlock.traffic, .r1)
        builder.store(.word, .r6, ControlBlock.verdict, .r5)
        let probed = builder.label("probed")
        builder.load(.word, .r1, .r6, ControlBlock.base)
        builder.jump32(.equal, .r1, imm: NP_PROBE, to: probed)
        builder.note(.remark("base of the counters in np_rule_hits"))
        builder.moveHitBase(.r1)
        builder.store(.word, .r6, ControlBlock.base, .r1)
        builder.tailCall(step: NP_STEP_VERDICT, context: .r6)
        builder.place(probed)
        builder.note(.remark("probed"))
        builder.exit(returning: TrafficControlAction.ok)
    }
}

extension DecisionGraph.Outcome {
    /// The answer for `cb[3]`, as an immediate.
    func packed(word: Int) -> Int32 { Int32(bitPattern: ControlBlock.packAnswer(verdict, decision, word: word)) }
}
