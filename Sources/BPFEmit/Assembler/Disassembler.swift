import NetTypes

/// Text of programs, for `netpold compile --emit asm` and for tests.
///
///     ; rule 0 allow NetworkPolicy shop/allow-web spec.ingress[0] (shop.yaml:12:5)
///        9: r1 = *(u64 *)(r0 + 0)
public enum Disassembler {
    /// The text of a program, one instruction a line with its slot, notes as lines of their own before what they are about.
    ///
    /// - Parameter bits: What the rule bits of a policy program stand for.
    /// - Throws: `DecodeError` for words that are not of the emitted subset.
    public static func text(_ program: EncodedProgram, bits: [RuleBit] = []) throws(DecodeError) -> String {
        let notes = Dictionary(program.notes.map { ($0.slot, $0.note) }, uniquingKeysWith: { first, _ in first })
        var lines = ""
        for (slot, instruction) in try program.decoded() {
            if let note = notes[slot] {
                for line in note.lines(bits) { lines += "; \(line)\n" }
            }
            let number = String(slot)
            let margin = String(repeating: " ", count: max(6 - number.count, 0))
            let remark = program.hitBaseSlots.contains(slot) ? " ; filled in by the loader" : ""
            lines += "\(margin)\(number): \(instruction.text(at: slot))\(remark)\n"
        }
        return lines
    }
}

extension PolicyImage {
    /// The program as text, each block with the rules it is about. Empty for words that are not of the emitted subset,
    /// which `PolicyEmitter` never gives.
    public var disassembly: String { (try? Disassembler.text(program, bits: bits)) ?? "" }
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

extension BlockNote {
    /// The note in words; rules by number, action and origin.
    func lines(_ bits: [RuleBit]) -> [String] {
        func rules(_ word: Int, _ mask: UInt64) -> [String] {
            (0..<64).filter { mask >> UInt64($0) & 1 == 1 }.map { bit in
                let number = word * 64 + bit
                guard bits.indices.contains(number) else { return "bit \(number)" }
                let rule = bits[number]
                return "rule \(rule.rule) \(rule.action)\(rule.isL7 ? " L7" : "") \(rule.origin)"
            }
        }
        switch self {
        case .remark(let text): return [text]
        case .split(let from):
            let (`protocol`, port) = ControlBlock.unpackTraffic(from)
            return ["\(`protocol`)/\(port) and up, or below?"]
        case .test(let word, let mask, _): return rules(word, mask)
        case .host: return ["the local node reaches its pods"]
        case .pass(let word, let mask): return rules(word, mask)
        case .fallback(.host, _): return ["allow: the local node"]
        case .fallback(_, let verdict): return ["default \(verdict)"]
        }
    }
}
