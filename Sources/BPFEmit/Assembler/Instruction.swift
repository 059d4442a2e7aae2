/// One instruction of the subset that netpold emits.
///
/// Jump offsets count slots (64 bits) from the slot after the jump. A load of a 64-bit immediate or of a map takes two slots,
/// everything else one.
public enum Instruction: Hashable, Sendable {
    /// The second operand of arithmetic and comparisons.
    public enum Operand: Hashable, Sendable {
        /// A register.
        case register(Register)
        /// A constant, sign-extended to 64 bits when the operation is 64 bits wide.
        case immediate(Int32)
    }

    /// `destination operation= operand`.
    case arithmetic(ArithmeticOperation, OperandWidth, Register, Operand)
    /// `destination = -destination`.
    case negate(OperandWidth, Register)
    /// `destination = *(size *)(base + offset)`, zero-extended.
    case load(AccessSize, Register, base: Register, offset: Int16)
    /// `*(size *)(base + offset) = source`.
    case store(AccessSize, base: Register, offset: Int16, source: Register)
    /// `*(size *)(base + offset) = immediate`, sign-extended. The verifier of 6.1 refuses it on the context.
    case storeImmediate(AccessSize, base: Register, offset: Int16, Int32)
    /// `destination = constant`; two slots.
    case loadConstant(Register, UInt64)
    /// `destination = map`; two slots. The loader fills in the file descriptor.
    case loadMap(Register, MapSymbol)
    /// `goto offset`.
    case jump(offset: Int16)
    /// `if left comparison operand goto offset`.
    case branch(Comparison, OperandWidth, Register, Operand, offset: Int16)
    /// `call helper`.
    case call(Helper)
    /// Returns r0.
    case exit

    /// Slots the instruction takes.
    public var slots: Int {
        switch self {
        case .loadConstant, .loadMap: 2
        case .arithmetic, .negate, .load, .store, .storeImmediate, .jump, .branch, .call, .exit: 1
        }
    }

    /// Whether the next instruction can be reached through this one.
    public var fallsThrough: Bool {
        switch self {
        case .jump, .exit: false
        case .arithmetic, .negate, .load, .store, .storeImmediate, .loadConstant, .loadMap, .branch, .call: true
        }
    }

    /// The same jump with another offset; what does not jump stays as it is.
    func jumping(by offset: Int16) -> Instruction {
        switch self {
        case .jump: .jump(offset: offset)
        case .branch(let comparison, let width, let left, let right, _):
            .branch(comparison, width, left, right, offset: offset)
        case .arithmetic, .negate, .load, .store, .storeImmediate, .loadConstant, .loadMap, .call, .exit: self
        }
    }
}

/// Bits an arithmetic instruction or a comparison works on.
public enum OperandWidth: Hashable, CaseIterable, Sendable {
    /// The low half; arithmetic clears the high half of the destination.
    case bits32
    /// The whole register.
    case bits64
}
