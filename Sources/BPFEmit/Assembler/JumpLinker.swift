/// Links the jumps of a program: the last pass of every program.
///
/// Afterwards each jump has the offset of its label, no way leads off the end, and the kernel takes the length; the same
/// program always gives the same bytes. Complexity: O(instructions), and a sort of the far jumps' labels for each island.
///
/// An offset has 16 bits, and the jump with 32 bits (`gotol`) is newer than the oldest kernel we run on. So a forward jump that
/// goes farther is sent through *islands*: groups of `goto`s put into the code on the way, behind an instruction that does
/// not fall through where there is one.
struct JumpLinker {
    /// The kernel's limit (`BPF_COMPLEXITY_LIMIT_INSNS`).
    static let slotLimit = 1_000_000
    private static let reach = Int(Int16.max)

    private let items: [ProgramBuilder.Item]
    private let positions: [Int?]

    init(_ builder: ProgramBuilder) {
        items = builder.items
        positions = builder.positions
    }

    func link() throws(AssemblyError) -> EncodedProgram {
        let unresolved = Set(
            items.compactMap { item in item.target.flatMap { positions[$0.number] == nil ? $0.name : nil } })
        guard unresolved.isEmpty else { throw .unresolvedLabels(unresolved.sorted()) }
        guard let last = items.last, !last.instruction.fallsThrough,
            !positions.contains(items.count)
        else { throw .runsOffTheEnd }

        // Islands push apart what they stand between, so "far" is decided with slack for them. More islands than the slack
        // has room for are noticed when offsets are computed; then a larger slack is tried.
        var slack = 1024
        while true {
            do {
                return try IslandLayout(items: items, positions: positions, reach: Self.reach - slack).encode()
            } catch {
                slack *= 2
                guard case .jumpTooFar = error, slack <= Self.reach / 2 else { throw error }
            }
        }
    }
}

/// One attempt to lay the items out, with islands for jumps beyond `reach` slots.
private struct IslandLayout {
    /// An instruction in its final order.
    struct Placed {
        var instruction: Instruction
        var target: Target?
        var item: Int?
    }

    enum Target {
        case label(Label)
        /// An instruction of an island, by index in `placed`.
        case island(Int)
    }

    private let items: [ProgramBuilder.Item]
    private let positions: [Int?]
    private let reach: Int
    private var placed: [Placed] = []
    private var slot = 0
    /// By item: index in `placed`.
    private var indexOfItem: [Int] = []
    /// Far jumps to each label that still need a way there: indices in `placed`. First the oldest.
    private var waiting: [Label: [Int]] = [:]
    /// Slot of the oldest waiting jump.
    private var oldest = Int.max

    init(items: [ProgramBuilder.Item], positions: [Int?], reach: Int) {
        self.items = items
        self.positions = positions
        self.reach = reach
        let slots = naturalSlots()
        placed.reserveCapacity(items.count)
        indexOfItem.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            let fallsInto = placed.last?.instruction.fallsThrough ?? true
            if slot - oldest >= (fallsInto ? reach : reach / 2) { placeIsland(before: slots[index], slots, fallsInto) }
            indexOfItem.append(placed.count)
            if let target = item.target, distance(from: slots[index], to: target, slots) > reach {
                waiting[target, default: []].append(placed.count)
                oldest = min(oldest, slot)
            }
            placed.append(Placed(instruction: item.instruction, target: item.target.map(Target.label), item: index))
            slot += item.instruction.slots
        }
    }

    /// The slot of each item if there were no islands.
    private func naturalSlots() -> [Int] {
        var slots: [Int] = []
        slots.reserveCapacity(items.count)
        var next = 0
        for item in items {
            slots.append(next)
            next += item.instruction.slots
        }
        return slots
    }

    private func distance(from slot: Int, to target: Label, _ slots: [Int]) -> Int {
        positions[target.number].map { slots[$0] - slot } ?? 0
    }

    /// Puts a `goto` for every waiting label here. Labels go in the order they were made, so that the same program always
    /// gives the same bytes.
    private mutating func placeIsland(before here: Int, _ slots: [Int], _ fallsInto: Bool) {
        let labels = waiting.keys.sorted { $0.number < $1.number }
        if fallsInto {
            placed.append(Placed(instruction: .jump(offset: Int16(labels.count)), target: nil, item: nil))
            slot += 1
        }
        oldest = Int.max
        for label in labels {
            for jump in waiting[label] ?? [] { placed[jump].target = .island(placed.count) }
            waiting[label] = nil
            if distance(from: here, to: label, slots) > reach {
                waiting[label] = [placed.count]
                oldest = min(oldest, slot)
            }
            placed.append(Placed(instruction: .jump(offset: 0), target: .label(label), item: nil))
            slot += 1
        }
    }

    func encode() throws(AssemblyError) -> EncodedProgram {
        guard slot <= JumpLinker.slotLimit else { throw .tooLong(slots: slot, limit: JumpLinker.slotLimit) }
        var slots: [Int] = []
        slots.reserveCapacity(placed.count)
        var next = 0
        for one in placed {
            slots.append(next)
            next += one.instruction.slots
        }
        var program = EncodedProgram(instructions: [], mapReferences: [])
        program.instructions.reserveCapacity(slot)
        for (index, one) in placed.enumerated() {
            var instruction = one.instruction
            if let target = one.target {
                let goal = slots[indexInPlaced(of: target)]
                guard let offset = Int16(exactly: goal - slots[index] - 1) else {
                    throw .jumpTooFar(slot: slots[index], label: name(of: target))
                }
                instruction = instruction.jumping(by: offset)
            }
            if let item = one.item {
                if let note = items[item].note { program.notes.append(.init(slot: slots[index], note: note)) }
                if items[item].isHitBase { program.hitBaseSlots.append(slots[index]) }
            } else if index == 0 || placed[index - 1].item != nil {
                program.notes.append(.init(slot: slots[index], note: .remark("island for far jumps")))
            }
            if case .loadMap(_, let map) = instruction {
                program.mapReferences.append(.init(slot: slots[index], map: map))
            }
            instruction.encode(to: &program.instructions)
        }
        return program
    }

    private func indexInPlaced(of target: Target) -> Int {
        switch target {
        case .island(let index): index
        case .label(let label): positions[label.number].map { indexOfItem[$0] } ?? 0
        }
    }

    private func name(of target: Target) -> String {
        switch target {
        case .island: "an island"
        case .label(let label): label.name
        }
    }
}
