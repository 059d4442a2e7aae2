/// Why words are not a program of the emitted subset.
public struct DecodeError: Error, Hashable, CustomStringConvertible {
    /// The slot at fault.
    public var slot: Int
    /// The word at fault.
    public var word: UInt64
    /// What is wrong with it.
    public var reason: String

    /// `slot 3: unknown opcode 0xff`.
    public var description: String { "slot \(slot): \(reason)" }
}

extension EncodedProgram {
    /// The instructions of the program with their slots, in order.
    ///
    /// Reserved fields must be zero: what this accepts encodes to the same words again.
    ///
    /// - Throws: `DecodeError` at the first word that is not of the emitted subset.
    public func decoded() throws(DecodeError) -> [(slot: Int, instruction: Instruction)] {
        var result: [(slot: Int, instruction: Instruction)] = []
        result.reserveCapacity(instructions.count)
        let maps = Dictionary(mapReferences.map { ($0.slot, $0.map) }, uniquingKeysWith: { first, _ in first })
        var slot = 0
        while slot < instructions.count {
            let instruction = try decode(at: slot, map: maps[slot])
            result.append((slot, instruction))
            slot += instruction.slots
        }
        return result
    }

    private func decode(at slot: Int, map: MapSymbol?) throws(DecodeError) -> Instruction {
        let word = instructions[slot]
        let raw = RawInstruction(word: word)
        let instruction: Instruction
        if raw.opcode == OpCode.loadConstant {
            guard slot + 1 < instructions.count else {
                throw DecodeError(slot: slot, word: word, reason: "64-bit load without its second half")
            }
            let second = RawInstruction(word: instructions[slot + 1])
            let destination = try Self.register(raw.destination, slot, word)
            if let map {
                instruction = .loadMap(destination, map)
            } else {
                let low = UInt64(UInt32(bitPattern: raw.immediate))
                let high = UInt64(UInt32(bitPattern: second.immediate))
                instruction = .loadConstant(destination, low | high << 32)
            }
        } else if let simple = try Self.decode(raw, slot, word) {
            instruction = simple
        } else {
            throw DecodeError(
                slot: slot, word: word, reason: "unknown opcode 0x\(String(raw.opcode, radix: 16))")
        }
        var again: [UInt64] = []
        instruction.encode(to: &again)
        guard instructions[slot..<slot + again.count].elementsEqual(again) else {
            throw DecodeError(slot: slot, word: word, reason: "reserved field is not zero")
        }
        return instruction
    }

    private static func decode(_ raw: RawInstruction, _ slot: Int, _ word: UInt64) throws(DecodeError) -> Instruction? {
        let family = raw.opcode & OpCode.classMask
        let operation = raw.opcode & OpCode.operationMask
        switch raw.opcode {
        case OpCode.jump: return .jump(offset: raw.offset)
        case OpCode.exit: return .exit
        case OpCode.call:
            guard let helper = Helper(rawValue: raw.immediate) else {
                throw DecodeError(slot: slot, word: word, reason: "unknown helper \(raw.immediate)")
            }
            return .call(helper)
        default: break
        }
        let destination = try register(raw.destination, slot, word)
        switch family {
        case OpCode.arithmetic32Class, OpCode.arithmetic64Class:
            let width: OperandWidth = family == OpCode.arithmetic32Class ? .bits32 : .bits64
            if operation == OpCode.negate { return .negate(width, destination) }
            guard let operation = ArithmeticOperation(rawValue: operation) else { return nil }
            return .arithmetic(operation, width, destination, try operand(raw, slot, word))
        case OpCode.jump32Class, OpCode.jump64Class:
            guard let comparison = Comparison(rawValue: operation) else { return nil }
            let width: OperandWidth = family == OpCode.jump32Class ? .bits32 : .bits64
            return .branch(comparison, width, destination, try operand(raw, slot, word), offset: raw.offset)
        default:
            guard raw.opcode & OpCode.modeMask == OpCode.memoryMode,
                let size = AccessSize(rawValue: raw.opcode & OpCode.sizeMask)
            else { return nil }
            switch family {
            case OpCode.loadRegisterClass:
                return .load(size, destination, base: try register(raw.source, slot, word), offset: raw.offset)
            case OpCode.storeRegisterClass:
                let source = try register(raw.source, slot, word)
                return .store(size, base: destination, offset: raw.offset, source: source)
            case OpCode.storeClass:
                return .storeImmediate(size, base: destination, offset: raw.offset, raw.immediate)
            default:
                return nil
            }
        }
    }

    private static func operand(
        _ raw: RawInstruction, _ slot: Int, _ word: UInt64
    ) throws(DecodeError) -> Instruction.Operand {
        raw.opcode & OpCode.fromRegister == 0
            ? .immediate(raw.immediate) : .register(try register(raw.source, slot, word))
    }

    private static func register(_ number: UInt8, _ slot: Int, _ word: UInt64) throws(DecodeError) -> Register {
        guard let register = Register(rawValue: number) else {
            throw DecodeError(slot: slot, word: word, reason: "unknown register r\(number)")
        }
        return register
    }
}
