extension Instruction {
    /// Appends the instruction's slots to `words`. A map's place is filled with 0; the caller notes the reference.
    func encode(to words: inout [UInt64]) {
        switch self {
        case .arithmetic(let operation, let width, let destination, let operand):
            let family = width == .bits32 ? OpCode.arithmetic32Class : OpCode.arithmetic64Class
            words.append(Self.raw(operation.rawValue | family, destination, operand, offset: 0).word)
        case .negate(let width, let destination):
            let family = width == .bits32 ? OpCode.arithmetic32Class : OpCode.arithmetic64Class
            words.append(RawInstruction(OpCode.negate | family, destination: destination.rawValue).word)
        case .load(let size, let destination, let base, let offset):
            let opcode = OpCode.loadRegisterClass | OpCode.memoryMode | size.rawValue
            words.append(
                RawInstruction(
                    opcode, destination: destination.rawValue, source: base.rawValue, offset: offset
                ).word)
        case .store(let size, let base, let offset, let source):
            let opcode = OpCode.storeRegisterClass | OpCode.memoryMode | size.rawValue
            words.append(
                RawInstruction(opcode, destination: base.rawValue, source: source.rawValue, offset: offset).word)
        case .storeImmediate(let size, let base, let offset, let value):
            let opcode = OpCode.storeClass | OpCode.memoryMode | size.rawValue
            words.append(
                RawInstruction(opcode, destination: base.rawValue, offset: offset, immediate: value).word)
        case .loadConstant(let destination, let value):
            let low = Int32(truncatingIfNeeded: value)
            let high = Int32(truncatingIfNeeded: value >> 32)
            words.append(
                RawInstruction(OpCode.loadConstant, destination: destination.rawValue, immediate: low).word)
            words.append(RawInstruction(0, immediate: high).word)
        case .loadMap(let destination, _):
            words.append(
                RawInstruction(
                    OpCode.loadConstant, destination: destination.rawValue, source: OpCode.pseudoMapDescriptor
                ).word)
            words.append(0)
        case .jump(let offset):
            words.append(RawInstruction(OpCode.jump, offset: offset).word)
        case .branch(let comparison, let width, let left, let right, let offset):
            let family = width == .bits32 ? OpCode.jump32Class : OpCode.jump64Class
            words.append(Self.raw(comparison.rawValue | family, left, right, offset: offset).word)
        case .call(let helper):
            words.append(RawInstruction(OpCode.call, immediate: helper.rawValue).word)
        case .exit:
            words.append(RawInstruction(OpCode.exit).word)
        }
    }

    private static func raw(
        _ opcode: UInt8, _ destination: Register, _ operand: Operand, offset: Int16
    ) -> RawInstruction {
        switch operand {
        case .register(let source):
            RawInstruction(
                opcode | OpCode.fromRegister, destination: destination.rawValue, source: source.rawValue,
                offset: offset)
        case .immediate(let value):
            RawInstruction(opcode, destination: destination.rawValue, offset: offset, immediate: value)
        }
    }
}
