import CNetpoldABI
import PolicyAPI

/// Pass 9, write: the instructions of a policy's blocks, one block after the other.
///
///     r6  context                          r2  protocol << 16 | port, in the port trees
///     r0  the remote's entry in peers      r3  scratch: 64-bit masks, the entry's word at a common end
///     r1  matching bits of a word          r5  the answer for cb[3]
///     r7  name columns of the remote: with any, r0 points to a copy of the entry that has their bits as well; r8 one of them
///
/// Afterwards every label that is jumped to is placed, behind the jumps; only their distances are missing.
struct PolicyProgramWriter {
    private var builder = ProgramBuilder()
    private let answer: Label
    private let answerAll: Label
    /// Whether something jumps to `answer`, and to `answerAll`: the verifier refuses code that no way leads to.
    private var isAskingOne = false
    private var isAskingAll = false
    /// By place. Made at the first jump: the linker puts islands in the order of labels.
    private var labels: [Label] = []

    /// Who carries which bits.
    struct Remotes {
        /// Whether there is a `peers` map.
        var hasMap = true
        /// Words of an entry.
        var words = 0
        /// The columns of names, with as many words.
        var columns: [PolicyBits.Column] = []
    }

    /// The program.
    ///
    /// - Complexity: O(blocks + words of columns).
    static func write(_ layout: BlockLayout, _ remotes: Remotes = Remotes()) -> ProgramBuilder {
        var writer = PolicyProgramWriter()
        writer.builder.move(.r6, .r1)
        if let known = layout.known {
            let miss = writer.builder.label("miss")
            if remotes.columns.isEmpty {
                writer.writeLookup()
                writer.builder.jump(.equal, .r0, imm: 0, to: miss)
            } else {
                writer.writeNames(remotes, miss: miss)
            }
            writer.builder.note(.remark("a remote that rules name"))
            for block in known { writer.write(block) }
            writer.builder.place(miss)
            writer.builder.note(.remark("any other remote"))
        }
        for block in layout.unknown { writer.write(block) }
        writer.writeAnswer()
        return writer.builder
    }

    private init() {
        answer = builder.label("answer")
        answerAll = builder.label("answer with all")
    }

    private mutating func label(of place: BlockLayout.Place) -> Label {
        // Places are numbered in the order of the first jump, so a new one is the next.
        if place == labels.count { labels.append(builder.label("block \(place)")) }
        return labels[place]
    }

    /// Leaves the remote's entry in r0, or 0.
    private mutating func writeLookup() {
        builder.note(.remark("rule bits of the remote's identity"))
        builder.load(.word, .r1, .r6, ControlBlock.identity)
        let key = Int16(PeersLayout.keyBytes)
        builder.store(.word, .r10, -key, .r1)
        builder.move(.r2, .r10)
        builder.add(.r2, imm: Int32(-key))
        builder.load(.r1, map: .peers)
        builder.call(.mapLookup)
    }

    /// Leaves the remote's entry in r0, with the bits that its names carry.
    private mutating func writeNames(_ remotes: Remotes, miss: Label) {
        let nameless = builder.label("nameless")
        let known = builder.label("known")
        builder.note(.remark("name columns of the remote"))
        builder.load(.word, .r7, .r6, ControlBlock.verdict)
        if remotes.hasMap { writeLookup() }
        builder.jump(.equal, .r7, imm: 0, to: remotes.hasMap ? nameless : miss)
        let start = Int16(-8 * remotes.words)
        if remotes.hasMap {
            let blank = builder.label("no entry")
            let copied = builder.label("copied")
            builder.note(.remark("a copy of the entry"))
            builder.jump(.equal, .r0, imm: 0, to: blank)
            for word in 0..<remotes.words {
                builder.load(.double, .r1, .r0, Int16(8 * word))
                builder.store(.double, .r10, start + Int16(8 * word), .r1)
            }
            builder.jump(to: copied)
            builder.place(blank)
            writeBlank(remotes.words, at: start)
            builder.place(copied)
        } else {
            writeBlank(remotes.words, at: start)
        }
        for column in remotes.columns {
            writeColumn(column, at: start)
        }
        builder.move(.r0, .r10)
        builder.add(.r0, imm: Int32(start))
        guard remotes.hasMap else { return }
        builder.jump(to: known)
        builder.place(nameless)
        builder.jump(.equal, .r0, imm: 0, to: miss)
        builder.place(known)
    }

    private mutating func writeBlank(_ words: Int, at start: Int16) {
        builder.move(.r1, imm: 0)
        for word in 0..<words { builder.store(.double, .r10, start + Int16(8 * word), .r1) }
    }

    /// Adds the bits of a column if the remote has it. Without a jump, and by multiplication: with 32 of them jumps would be too many
    /// ways for the verifier, which also goes two ways where a mask of all bits or none is made by negation.
    private mutating func writeColumn(_ column: PolicyBits.Column, at start: Int16) {
        builder.move(.r8, .r7)
        if column.number > 0 { builder.shiftRight(.r8, imm: Int32(column.number)) }
        builder.and(.r8, mask: 1, scratch: .r3)
        for (word, bits) in column.words.enumerated() where bits != 0 {
            let place = start + Int16(8 * word)
            builder.note(.column(number: column.number, word: word, bits: bits))
            builder.move(.r1, constant: bits)
            builder.multiply(.r1, .r8)
            builder.load(.double, .r2, .r10, place)
            builder.or(.r2, .r1)
            builder.store(.double, .r10, place, .r2)
        }
    }

    private mutating func write(_ block: BlockLayout.Block) {
        switch block {
        case .place(let place):
            builder.place(label(of: place))
        case .loadTraffic:
            builder.load(.word, .r2, .r6, ControlBlock.traffic)
        case .split(let from, let side, let place):
            builder.note(.split(from: from))
            builder.jump32(side.comparison, .r2, imm: Int32(bitPattern: from), to: label(of: place))
        case .test(let word, let specific, let everyone, let outcome, let isLast):
            builder.note(.test(word: word, bits: specific | everyone, verdict: outcome.verdict))
            builder.move(.r5, imm: outcome.packed(word: word))
            if specific == 0 {
                builder.move(.r1, constant: everyone)
            } else {
                writeMatch(word, specific)
                builder.or(.r1, bits: everyone, scratch: .r3)
            }
            let target = answer(isL7: outcome.verdict == .l7)
            if isLast { builder.jump(to: target) } else { builder.jump(.notEqual, .r1, imm: 0, to: target) }
        case .bits(let word, let specific, let outcome):
            builder.note(.test(word: word, bits: specific, verdict: outcome.verdict))
            builder.move(.r5, imm: outcome.packed(word: word))
            builder.move(.r1, constant: specific)
        case .end(let word, let isL7):
            builder.note(.remark("the remote's bits of those rules"))
            builder.load(.double, .r3, .r0, Int16(8 * word))
            builder.and(.r1, .r3)
            builder.jump(.notEqual, .r1, imm: 0, to: answer(isL7: isL7))
        case .branch(let word, let specific, let purpose, let condition, let place):
            builder.note(purpose.note(word: word, bits: specific))
            writeMatch(word, specific)
            builder.jump(condition.comparison, .r1, imm: 0, to: label(of: place))
        case .fallback(let outcome):
            builder.note(.fallback(decision: outcome.decision, verdict: outcome.verdict))
            builder.move(.r5, imm: outcome.packed(word: 0))
            builder.move(.r1, imm: 0)
            builder.jump(to: answer(isL7: outcome.verdict == .l7))
        case .jump(let place):
            builder.jump(to: label(of: place))
        }
    }

    /// Where the matching bits of an outcome are answered with.
    private mutating func answer(isL7: Bool) -> Label {
        if isL7 {
            isAskingAll = true
            return answerAll
        }
        isAskingOne = true
        return answer
    }

    /// Leaves the bits of a word that match in r1.
    private mutating func writeMatch(_ word: Int, _ specific: UInt64) {
        builder.load(.double, .r1, .r0, Int16(8 * word))
        builder.and(.r1, mask: specific, scratch: .r3)
    }

    /// Leaves the answer in cb and returns to np_policy. With a tail call it would take a third longer to load or more.
    private mutating func writeAnswer() {
        if isAskingOne {
            builder.place(answer)
            builder.note(.remark("answer with the lowest matching bit: the first rule of its group"))
            builder.move(.r2, .r1)
            builder.negate(.r2)
            builder.and(.r1, .r2)
        }
        if isAskingAll {
            builder.place(answerAll)
            builder.note(.remark("with L7 conditions: all that match"))
        }
        builder.store(.word, .r6, ControlBlock.identity, .r1)
        builder.shiftRight(.r1, imm: 32)
        builder.store(.word, .r6, ControlBlock.traffic, .r1)
        builder.store(.word, .r6, ControlBlock.verdict, .r5)
        builder.note(.remark("base of the counters in np_rule_hits"))
        builder.moveHitBase(.r1)
        builder.store(.word, .r6, ControlBlock.base, .r1)
        builder.exit(returning: TrafficControlAction.ok)
    }
}

extension BlockLayout.Side {
    fileprivate var comparison: Comparison {
        switch self {
        case .below: .below
        case .atLeast: .atLeast
        }
    }
}

extension BlockLayout.Condition {
    /// Of the matching bits with 0.
    fileprivate var comparison: Comparison {
        switch self {
        case .match: .notEqual
        case .noMatch: .equal
        }
    }
}

extension BlockLayout.Purpose {
    fileprivate func note(word: Int, bits: UInt64) -> BlockNote {
        switch self {
        case .host: .host(word: word, bits: bits)
        case .pass: .pass(word: word, bits: bits)
        case .read: .read(word: word, bits: bits)
        }
    }
}

extension DecisionGroups.Outcome {
    /// The answer for `cb[3]`, as an immediate.
    func packed(word: Int) -> Int32 { Int32(bitPattern: ControlBlock.packAnswer(verdict, decision, word: word)) }
}
