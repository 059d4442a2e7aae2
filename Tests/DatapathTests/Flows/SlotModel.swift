/// The protocol of a slot's control word as a machine that can be explored: a few CPUs, each at a step of its program, over one
/// set of slots. A step is one access to shared memory; between any two steps any other CPU may take its own.
///
/// docs/design/flow-table.md says which program does what.
struct SlotModel: Hashable {
    /// A precaution that is left out: the exploration has to find what goes wrong then, or it shows nothing.
    enum Mutation: CaseIterable {
        case nothing
        /// A reader does not look at the control word again.
        case readOnce
        /// A reader's loads of the record may come before its first load of the control word (arm64 without a barrier).
        case loadsEarly
        /// Its last load of the control word may come before those of the record (arm64 without a barrier).
        case checkEarly
        /// A reader takes the tag for the key.
        case tagOnly
        /// A writer publishes its record before it is complete.
        case publishEarly
        /// A slot is used again under the version that it had.
        case sameVersion
        /// A record is written into a slot that others still take for live.
        case withoutBusy
        /// The collector gives a slot up without comparing the control word.
        case collectBlindly
        /// A new flow takes the place of one that somebody has answered.
        case evictAnswered
        /// A new verdict is written into an entry if only the revision is still that which was read.
        case stampByRevision
        /// A flow that goes to another slot leaves its own before the other is published.
        case leaveEarly
    }

    enum State: UInt8 { case free, busy, live }

    /// A control word.
    struct Word: Hashable {
        var state = State.free
        var version: UInt8 = 0
        var tag: UInt8 = 0
    }

    /// What was decided about a flow, and what may change in its place.
    struct Verdict: Hashable {
        var flow: UInt8 = 0
        var revision: UInt8 = 0
        var isAnswered = false
        var isExpired = false
    }

    /// A slot; its record are two words that are written one after the other.
    struct Slot: Hashable {
        var word = Word()
        var key: UInt8 = 0
        var verdict = Verdict()
    }

    /// What a CPU is to do.
    enum Task: Hashable {
        /// A packet of a flow: looks it up, and notes that it was seen and answered.
        case find(UInt8)
        /// A packet of a flow of an old revision that policy still allows: writes the new one.
        case stamp(UInt8)
        /// A packet of a new flow.
        case insert(UInt8)
        /// The agent forgets what has expired.
        case collect
        /// The agent has a flow go to a free slot that readers look at later.
        case move(UInt8)
    }

    struct CPU: Hashable {
        var tasks: [Task]
        var step = 0
        /// The slot at hand.
        var way = 0
        /// What was read of it.
        var word = Word()
        var key: UInt8 = 0
        var verdict = Verdict()
        /// Its control word, read too early.
        var early = Word()
        /// What a writer is about to publish.
        var mine: Slot?
        /// Where the flow is that goes to another slot, and its control word there.
        var origin: Origin?
    }

    struct Origin: Hashable {
        var way: Int
        var word: Word
    }

    private(set) var slots: [Slot]
    private var cpus: [CPU]
    /// Flows that were live, answered and not expired at some time, and that nobody had a right to forget since.
    private var answered: Set<UInt8> = []
    private let mutation: Mutation

    /// The flow that the policy of revision 2 does not allow.
    static let revoked: UInt8 = 5

    /// Flows may share their tag: 1 and 5 do.
    static func tag(of flow: UInt8) -> UInt8 { flow % 4 }

    init(_ slots: [Slot], _ tasks: [[Task]], _ mutation: Mutation = .nothing) {
        self.slots = slots
        self.mutation = mutation
        cpus = tasks.map { CPU(tasks: $0) }
        noteAnswered()
    }

    static func live(_ flow: UInt8, isAnswered: Bool = false, isExpired: Bool = false) -> Slot {
        Slot(
            word: Word(state: .live, tag: tag(of: flow)), key: flow,
            verdict: Verdict(flow: flow, revision: 1, isAnswered: isAnswered, isExpired: isExpired))
    }

    /// Whether everybody has finished.
    var isOver: Bool { cpus.allSatisfy(\.tasks.isEmpty) }

    // MARK: what must never be

    /// What is wrong with this state, if something is.
    private var violation: String? {
        for flow in answered
        where !slots.contains(where: { $0.word.state == .live && $0.key == flow })
            && !cpus.contains(where: { $0.mine?.key == flow })
        {
            return "the answered flow \(flow) was lost"
        }
        for slot in slots where slot.word.state == .live {
            if slot.key == Self.revoked, slot.verdict.flow == Self.revoked, slot.verdict.revision == 2 {
                return "a verdict about another flow stands for the revoked one"
            }
        }
        guard isOver else { return nil }
        for slot in slots {
            if slot.word.state == .busy { return "a slot is stuck" }
            if slot.word.state == .live, Self.tag(of: slot.key) != slot.word.tag || slot.verdict.flow != slot.key {
                return "a live slot is of two flows: \(slot)"
            }
        }
        return nil
    }

    private mutating func noteAnswered() {
        for slot in slots where slot.word.state == .live && slot.verdict.isAnswered && !slot.verdict.isExpired {
            answered.insert(slot.key)
        }
    }

    // MARK: steps

    /// Every state that follows by a step of one CPU, or what goes wrong in one.
    func successors() -> (states: [SlotModel], violation: String?) {
        var states: [SlotModel] = []
        for cpu in cpus.indices {
            guard let task = cpus[cpu].tasks.first else { continue }
            for choice in 0..<choices(cpu, task) {
                var next = self
                let wrong = next.advance(cpu, task, isEarly: choice == 1)
                next.noteAnswered()
                if let wrong = wrong ?? next.violation { return ([], wrong) }
                states.append(next)
            }
        }
        return (states, nil)
    }

    /// Where loads may come out of order a CPU has more than one next step.
    private func choices(_ cpu: Int, _ task: Task) -> Int {
        switch task {
        case .find, .stamp:
            cpus[cpu].step == 0 && (mutation == .loadsEarly || mutation == .checkEarly) ? 2 : 1
        case .insert, .collect, .move: 1
        }
    }

    private mutating func advance(_ cpu: Int, _ task: Task, isEarly: Bool) -> String? {
        if cpus[cpu].mine != nil {
            write(cpu)
            return nil
        }
        switch task {
        case .find(let flow), .stamp(let flow):
            if isEarly {
                loadEarly(cpu)
            } else {
                return read(cpu, flow, stamps: task == .stamp(flow))
            }
        case .insert(let flow): insert(cpu, flow)
        case .collect: collect(cpu)
        case .move(let flow): move(cpu, flow)
        }
        return nil
    }

    private mutating func finish(_ cpu: Int) { cpus[cpu] = CPU(tasks: Array(cpus[cpu].tasks.dropFirst())) }

    // MARK: readers

    private mutating func loadEarly(_ cpu: Int) {
        let slot = slots[cpus[cpu].way]
        if mutation == .loadsEarly {
            cpus[cpu].verdict = slot.verdict
            cpus[cpu].step = 10
        } else {
            cpus[cpu].early = slot.word
            cpus[cpu].step = 20
        }
    }

    /// Steps: 0 control word, 1 key, 2 verdict, 3 control word again, 4 what changes in place. From 10 on with a verdict that
    /// was loaded before, from 20 on with the last control word.
    private mutating func read(_ cpu: Int, _ flow: UInt8, stamps: Bool) -> String? {
        let slot = slots[cpus[cpu].way]
        switch cpus[cpu].step {
        case 0, 10, 20:
            guard slot.word.state == .live, slot.word.tag == Self.tag(of: flow) else { return skip(cpu) }
            cpus[cpu].word = slot.word
            cpus[cpu].step += 1
        case 1, 11, 21:
            guard slot.key == flow || mutation == .tagOnly else { return skip(cpu) }
            cpus[cpu].step = cpus[cpu].step == 11 ? 3 : cpus[cpu].step + 1
        case 2:
            cpus[cpu].verdict = slot.verdict
            if mutation == .readOnce { return use(cpu, flow, stamps) }
            cpus[cpu].step = 3
        case 22:
            cpus[cpu].verdict = slot.verdict
            return cpus[cpu].early == cpus[cpu].word ? use(cpu, flow, stamps) : skip(cpu)
        case 3: return slot.word == cpus[cpu].word ? use(cpu, flow, stamps) : skip(cpu)
        default: change(cpu, flow, stamps)
        }
        return nil
    }

    private mutating func skip(_ cpu: Int) -> String? {
        let next = cpus[cpu].way + 1
        cpus[cpu] = CPU(tasks: cpus[cpu].tasks, way: next)
        if next == slots.count { finish(cpu) }
        return nil
    }

    /// What was read is taken for the flow's entry.
    private mutating func use(_ cpu: Int, _ flow: UInt8, _ stamps: Bool) -> String? {
        guard cpus[cpu].verdict.flow == flow else {
            return "the verdict about \(cpus[cpu].verdict.flow) let \(flow) pass"
        }
        if stamps, flow == Self.revoked || cpus[cpu].verdict.revision == 2 {
            finish(cpu)
        } else {
            cpus[cpu].step = 4
        }
        return nil
    }

    private mutating func change(_ cpu: Int, _ flow: UInt8, _ stamps: Bool) {
        let way = cpus[cpu].way
        if !stamps {
            // Without looking whether it is still the flow's: whoever's it is by now is kept longer than need be.
            slots[way].verdict.isAnswered = true
            slots[way].verdict.isExpired = false
            finish(cpu)
        } else if mutation == .stampByRevision {
            if slots[way].verdict.revision == cpus[cpu].verdict.revision { slots[way].verdict.revision = 2 }
            finish(cpu)
        } else {
            var verdict = cpus[cpu].verdict
            verdict.revision = 2
            take(cpu, Slot(key: flow, verdict: verdict))
        }
    }

    // MARK: writers

    private mutating func insert(_ cpu: Int, _ flow: UInt8) {
        guard cpus[cpu].step == 1 else {
            let free = slots.firstIndex { $0.word.state == .free }
            let spare = slots.firstIndex {
                $0.word.state == .live
                    && ($0.verdict.isExpired || !$0.verdict.isAnswered || mutation == .evictAnswered)
            }
            guard let way = free ?? spare else { return finish(cpu) }
            cpus[cpu].way = way
            cpus[cpu].word = slots[way].word
            cpus[cpu].verdict = slots[way].verdict
            cpus[cpu].step = 1
            return
        }
        let fresh = Verdict(flow: flow, revision: 1)
        take(cpu, Slot(key: flow, verdict: fresh))
    }

    /// Takes the slot that was looked at, for writing.
    private mutating func take(_ cpu: Int, _ mine: Slot) {
        let way = cpus[cpu].way
        let seen = cpus[cpu].word
        guard slots[way].word == seen else { return finish(cpu) }
        // An answer between the look at the entry and this comes too late, as one does after it.
        if seen.state == .live, slots[way].key != mine.key, mayForget(cpus[cpu].verdict) {
            answered.remove(slots[way].key)
        }
        let isAgain = seen.state == .live && mutation != .sameVersion
        var mine = mine
        mine.word = Word(
            state: .live, version: isAgain ? seen.version + 1 : seen.version, tag: Self.tag(of: mine.key))
        if mutation == .publishEarly {
            slots[way].word = mine.word
        } else if mutation != .withoutBusy {
            slots[way].word = Word(state: .busy, version: mine.word.version)
        }
        cpus[cpu].mine = mine
        cpus[cpu].step = 0
    }

    private func mayForget(_ verdict: Verdict) -> Bool { verdict.isExpired || !verdict.isAnswered }

    /// Steps: 0 key, 1 verdict, 2 control word.
    private mutating func write(_ cpu: Int) {
        guard let mine = cpus[cpu].mine else { return }
        let way = cpus[cpu].way
        switch cpus[cpu].step {
        case 0: slots[way].key = mine.key
        case 1: slots[way].verdict = mine.verdict
        default:
            slots[way].word = mine.word
            guard cpus[cpu].origin != nil, mutation != .leaveEarly else { return finish(cpu) }
            cpus[cpu].mine = nil
        }
        cpus[cpu].step += 1
    }

    // MARK: from one slot to another

    /// Steps: 0 reads the slot whole, 1 takes the other one (`write` fills it), 3 leaves the first.
    private mutating func move(_ cpu: Int, _ flow: UInt8) {
        switch cpus[cpu].step {
        case 0:
            guard let way = slots.firstIndex(where: { $0.word.state == .live && $0.key == flow }),
                let other = slots.indices.first(where: { $0 > way && slots[$0].word.state == .free })
            else { return finish(cpu) }
            cpus[cpu].origin = Origin(way: way, word: slots[way].word)
            cpus[cpu].verdict = slots[way].verdict
            (cpus[cpu].way, cpus[cpu].word) = (other, slots[other].word)
            cpus[cpu].step = 1
        case 1:
            if mutation == .leaveEarly { leave(cpu) }
            take(cpu, Slot(key: flow, verdict: cpus[cpu].verdict))
        default:
            leave(cpu)
            finish(cpu)
        }
    }

    private mutating func leave(_ cpu: Int) {
        guard let origin = cpus[cpu].origin, slots[origin.way].word == origin.word else { return }
        slots[origin.way].word = Word(state: .free, version: origin.word.version + 1)
    }

    // MARK: the collector

    /// Steps: 0 reads a slot whole (`read` shows that it can), 1 gives it up.
    private mutating func collect(_ cpu: Int) {
        let way = cpus[cpu].way
        guard way < slots.count else { return finish(cpu) }
        if cpus[cpu].step == 0 {
            cpus[cpu].word = slots[way].word
            if slots[way].word.state == .live, slots[way].verdict.isExpired {
                cpus[cpu].step = 1
            } else {
                cpus[cpu].way += 1
            }
            return
        }
        let isSame = slots[way].word == cpus[cpu].word
        if isSame { answered.remove(slots[way].key) }
        if isSame || mutation == .collectBlindly {
            slots[way].word = Word(state: .free, version: slots[way].word.version + 1)
        }
        cpus[cpu].step = 0
        cpus[cpu].way += 1
    }
}
