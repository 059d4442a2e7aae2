import BPFEmit
import BPFSimulate
import NetpoldTestSupport

extension Instruction {
    /// The jump's offset; `nil` for what does not jump.
    fileprivate var jumpOffset: Int16? {
        switch self {
        case .jump(let offset), .branch(_, _, _, _, let offset): offset
        case .arithmetic, .negate, .load, .store, .storeImmediate, .loadConstant, .loadMap, .call, .exit: nil
        }
    }
}

/// Helpers around whole programs.
enum Programs {
    /// Encodes instructions one after the other.
    static func encode(_ instructions: [Instruction]) -> EncodedProgram {
        var b = ProgramBuilder()
        var words: [UInt64] = []
        var references: [EncodedProgram.MapReference] = []
        for instruction in instructions {
            // One at a time: a jump on its own needs no label, and nothing has to end the program.
            b = ProgramBuilder()
            b.append(instruction)
            b.append(.exit)
            guard let one = try? b.assemble() else { continue }
            references += one.mapReferences.map { .init(slot: words.count + $0.slot, map: $0.map) }
            words += one.instructions.dropLast()
        }
        return EncodedProgram(instructions: words, mapReferences: references)
    }

    /// The program's bytes in memory order.
    static func bytes(_ program: EncodedProgram) -> String {
        program.instructions.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }

    /// Maps with nothing in them.
    struct NoMaps: BPFInterpreter.Maps {
        func lookup(_ map: MapSymbol, key: UInt32) -> [UInt64]? { nil }
        func hasProgram(_ map: MapSymbol, index: UInt32) -> Bool { false }
    }

    /// Runs a program on a cb of zeroes without maps.
    static func run(_ program: EncodedProgram, budget: Int = 1_000_000) throws -> BPFInterpreter.Ending {
        var cb: [UInt32] = [0, 0, 0, 0, 0]
        return try BPFInterpreter(program).run(cb: &cb, maps: NoMaps(), budget: budget)
    }

    /// Any instruction of the subset.
    static func random(_ random: inout SplitMix64) -> Instruction {
        func pick<Element>(_ list: [Element]) -> Element { list[Int.random(in: 0..<list.count, using: &random)] }
        let register = pick(Register.allCases)
        let other = pick(Register.allCases)
        let width = pick(OperandWidth.allCases)
        let number = Int32.random(in: .min ... .max, using: &random)
        let offset = Int16.random(in: .min ... .max, using: &random)
        let operand: Instruction.Operand = Bool.random(using: &random) ? .register(other) : .immediate(number)
        let size = pick(AccessSize.allCases)
        switch Int.random(in: 0..<11, using: &random) {
        case 0: return .arithmetic(pick(ArithmeticOperation.allCases), width, register, operand)
        case 1: return .negate(width, register)
        case 2: return .load(size, register, base: other, offset: offset)
        case 3: return .store(size, base: register, offset: offset, source: other)
        case 4: return .storeImmediate(size, base: register, offset: offset, number)
        case 5: return .loadConstant(register, UInt64.random(in: .min ... .max, using: &random))
        case 6: return .loadMap(register, pick([.peers, .steps]))
        case 7: return .jump(offset: offset)
        case 8: return .branch(pick(Comparison.allCases), width, register, operand, offset: offset)
        case 9: return .call(pick(Helper.allCases))
        default: return .exit
        }
    }

    /// What the verifier's first pass refuses: jumps outside the program or backward, and slots no way leads to.
    static func flaws(_ program: EncodedProgram) throws -> [String] {
        var reached: Set<Int> = [0]
        var flaws: [String] = []
        let decoded = try program.decoded()
        let starts = Set(decoded.map(\.slot))
        for (slot, instruction) in decoded {
            guard reached.contains(slot) else {
                flaws.append("slot \(slot) is unreachable")
                continue
            }
            if instruction.fallsThrough { reached.insert(slot + instruction.slots) }
            if let offset = instruction.jumpOffset {
                let target = slot + 1 + Int(offset)
                if offset < 0 { flaws.append("slot \(slot) jumps backward") }
                reached.insert(target)
            }
        }
        flaws += reached.subtracting(starts).sorted().map { "slot \($0) is reached and no instruction" }
        return flaws
    }
}
