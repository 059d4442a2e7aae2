import NetTypes

/// Text of programs, for `netpold compile --emit asm` and for tests.
///
///     ; rule 0 allow NetworkPolicy shop/allow-web spec.ingress[0] (shop.yaml:12:5)
///        9: r1 = *(u64 *)(r0 + 0)
public enum Disassembler {
    /// The text of a program, one instruction per line with its slot, notes as lines of their own before what they are about;
    /// `rule` names the rule bit of a number.
    ///
    /// - Throws: `DecodeError` for words that are not of the emitted subset.
    public static func text(
        _ program: EncodedProgram, naming rule: (Int) -> String = { "bit \($0)" }
    ) throws(DecodeError) -> String {
        let notes = Dictionary(program.notes.map { ($0.slot, $0.note) }, uniquingKeysWith: { first, _ in first })
        var lines = ""
        for (slot, instruction) in try program.decoded() {
            if let note = notes[slot] {
                for line in note.lines(naming: rule) { lines += "; \(line)\n" }
            }
            let number = String(slot)
            let margin = String(repeating: " ", count: max(6 - number.count, 0))
            let remark = program.hitBaseSlots.contains(slot) ? " ; filled in by the loader" : ""
            lines += "\(margin)\(number): \(instruction.text(at: slot))\(remark)\n"
        }
        return lines
    }
}

extension Instruction {
    /// The instruction in the notation of the kernel's verifier log, with absolute jump targets.
    public func text(at slot: Int) -> String {
        func operand(_ operand: Operand, _ width: OperandWidth) -> String {
            switch operand {
            case .register(let register): name(register, width)
            case .immediate(let value): String(value)
            }
        }
        func name(_ register: Register, _ width: OperandWidth) -> String {
            width == .bits64 ? "\(register)" : "w\(register.rawValue)"
        }
        func place(_ size: AccessSize, _ base: Register, _ offset: Int16) -> String {
            "*(\(size) *)(\(base) \(offset < 0 ? "-" : "+") \(offset.magnitude))"
        }
        func target(_ offset: Int16) -> String { "goto \(slot + 1 + Int(offset))" }
        return switch self {
        case .arithmetic(let operation, let width, let destination, let right):
            "\(name(destination, width)) \(operation.symbol) \(operand(right, width))"
        case .negate(let width, let destination): "\(name(destination, width)) = -\(name(destination, width))"
        case .load(let size, let destination, let base, let offset): "\(destination) = \(place(size, base, offset))"
        case .store(let size, let base, let offset, let source): "\(place(size, base, offset)) = \(source)"
        case .storeImmediate(let size, let base, let offset, let value): "\(place(size, base, offset)) = \(value)"
        case .loadConstant(let destination, let value): "\(destination) = 0x\(String(value, radix: 16)) ll"
        case .loadMap(let destination, let map): "\(destination) = map[\(map.rawValue)]"
        case .jump(let offset): target(offset)
        case .branch(let comparison, let width, let left, let right, let offset):
            "if \(name(left, width)) \(comparison.symbol) \(operand(right, width)) \(target(offset))"
        case .call(let helper): "call \(helper)"
        case .exit: "exit"
        }
    }
}
