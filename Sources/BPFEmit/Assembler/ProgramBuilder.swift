/// A program under construction: instructions in order, and labels that jumps name.
///
/// Nothing fails while building; what is wrong surfaces in `assemble`.
public struct ProgramBuilder: Sendable {
    struct Item {
        var instruction: Instruction
        /// Where a jump goes; its offset is 0 until linked.
        var target: Label?
        var note: BlockNote?
        var isHitBase = false
    }

    private(set) var items: [Item] = []
    /// By label number: the index of the item the label stands before.
    private(set) var positions: [Int?] = []
    private var placedTwice: Label?
    /// Index of the item the last placed label stands before.
    private var lastPlacement: Int?
    private var pendingNote: BlockNote?

    /// An empty program.
    public init() {}

    /// A new label, not yet placed. `name` is for messages and need not be unique.
    public mutating func label(_ name: String) -> Label {
        positions.append(nil)
        return Label(number: positions.count - 1, name: name)
    }

    /// Places a label before the next instruction. A jump just appended that goes nowhere else is taken back.
    public mutating func place(_ label: Label) {
        if let last = items.last, last.target == label, case .jump = last.instruction, last.note == nil,
            lastPlacement != items.count
        {
            items.removeLast()
        }
        lastPlacement = items.count
        if positions[label.number] != nil { placedTwice = placedTwice ?? label }
        positions[label.number] = items.count
    }

    /// Says what the instructions from the next one on are for.
    public mutating func note(_ note: BlockNote) { pendingNote = note }

    /// Appends an instruction that does not jump.
    public mutating func append(_ instruction: Instruction) { append(instruction, to: nil) }

    private mutating func append(_ instruction: Instruction, to target: Label?) {
        items.append(Item(instruction: instruction, target: target, note: pendingNote))
        pendingNote = nil
    }

    /// `goto label`.
    public mutating func jump(to label: Label) { append(.jump(offset: 0), to: label) }

    /// `if left comparison immediate goto label`, 64 bits wide, the immediate sign-extended.
    public mutating func jump(_ comparison: Comparison, _ left: Register, imm value: Int32, to label: Label) {
        append(.branch(comparison, .bits64, left, .immediate(value), offset: 0), to: label)
    }

    /// `if left comparison right goto label`, 64 bits wide.
    public mutating func jump(_ comparison: Comparison, _ left: Register, _ right: Register, to label: Label) {
        append(.branch(comparison, .bits64, left, .register(right), offset: 0), to: label)
    }

    /// `if (u32)left comparison immediate goto label`.
    public mutating func jump32(_ comparison: Comparison, _ left: Register, imm value: Int32, to label: Label) {
        append(.branch(comparison, .bits32, left, .immediate(value), offset: 0), to: label)
    }

    /// `destination = base of the program's counters in np_rule_hits`, which the loader fills in.
    public mutating func moveHitBase(_ destination: Register) {
        append(.arithmetic(.move, .bits32, destination, .immediate(0)))
        items[items.count - 1].isHitBase = true
    }

    /// Links the jumps and encodes.
    ///
    /// - Throws: `AssemblyError`; never a program whose jump goes elsewhere than its label.
    public func assemble() throws(AssemblyError) -> EncodedProgram {
        if let placedTwice { throw .labelPlacedTwice(placedTwice.name) }
        return try JumpLinker(self).link()
    }
}

/// A place in a program under construction that jumps go to. Made by `ProgramBuilder.label`, placed once.
public struct Label: Hashable, Sendable {
    let number: Int
    /// For error messages.
    public let name: String
}
