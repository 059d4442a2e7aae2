import BPFEmit

/// Registers and memory of one run of `BPFInterpreter`.
struct BPFMachine {
    /// What a register holds. Pointers carry what they point into, so every access can be checked.
    enum Value {
        case number(UInt64)
        /// Bytes from the start of the context.
        case context(Int)
        /// Bytes from the end of the stack; negative inside it.
        case stack(Int)
        case mapValue([UInt64], Int)
        case map(MapSymbol)
    }

    static let stackBytes = 512

    var cb: [UInt32]
    var slot = 0
    private var registers: [Value?] = Array(repeating: nil, count: Register.allCases.count)
    /// `nil` for bytes never written.
    private var stack: [UInt8?] = Array(repeating: nil, count: stackBytes)

    init(cb: [UInt32]) {
        self.cb = cb
        registers[Int(Register.r1.rawValue)] = .context(0)
        registers[Int(Register.r10.rawValue)] = .stack(0)
    }

    /// Executes the instruction at `slot` and moves on; returns how the program ended if it did.
    mutating func execute(
        _ instruction: Instruction, _ maps: some BPFInterpreter.Maps
    ) throws(InterpreterError) -> BPFInterpreter.Ending? {
        var next = slot + instruction.slots
        switch instruction {
        case .arithmetic(let operation, let width, let destination, let operand):
            let right = try value(of: operand)
            if operation == .move, width == .bits64 {
                try write(destination, right)
            } else {
                let left: Value = operation == .move ? .number(0) : try read(destination)
                try write(destination, try arithmetic(operation, width, left, right))
            }
        case .negate(let width, let destination):
            let zero = Value.number(0)
            try write(destination, try arithmetic(.subtract, width, zero, try read(destination)))
        case .load(let size, let destination, let base, let offset):
            try write(destination, .number(try load(size, try read(base), Int(offset))))
        case .store(let size, let base, let offset, let source):
            guard case .number(let number) = try read(source) else { throw .badOperands(slot: slot) }
            try store(size, try read(base), Int(offset), number)
        case .storeImmediate(let size, let base, let offset, let number):
            let base = try read(base)
            if case .context = base { throw .badAccess(slot: slot, detail: "immediate store to the context") }
            try store(size, base, Int(offset), UInt64(bitPattern: Int64(number)))
        case .loadConstant(let destination, let number):
            try write(destination, .number(number))
        case .loadMap(let destination, let map):
            try write(destination, .map(map))
        case .jump(let offset):
            next += Int(offset)
        case .branch(let comparison, let width, let left, let right, let offset):
            if try holds(comparison, width, try read(left), try value(of: right)) { next += Int(offset) }
        case .call(let helper):
            if let ending = try call(helper, maps) { return ending }
        case .exit:
            guard case .number(let number) = try read(.r0) else { throw .badReturnValue(slot: slot) }
            return .returned(number)
        }
        slot = next
        return nil
    }

    private func read(_ register: Register) throws(InterpreterError) -> Value {
        guard let value = registers[Int(register.rawValue)] else {
            throw .uninitialisedRegister(slot: slot, register)
        }
        return value
    }

    private mutating func write(_ register: Register, _ value: Value) throws(InterpreterError) {
        guard register != .r10 else { throw .readOnlyRegister(slot: slot) }
        registers[Int(register.rawValue)] = value
    }

    private func value(of operand: Instruction.Operand) throws(InterpreterError) -> Value {
        switch operand {
        case .register(let register): try read(register)
        case .immediate(let number): .number(UInt64(bitPattern: Int64(number)))
        }
    }

    private func arithmetic(
        _ operation: ArithmeticOperation, _ width: OperandWidth, _ left: Value, _ right: Value
    ) throws(InterpreterError) -> Value {
        guard case .number(let right) = right else { throw .badOperands(slot: slot) }
        switch left {
        case .number(let left):
            return .number(
                width == .bits64
                    ? operation.result(left, right)
                    : UInt64(operation.result(UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))))
        case .context(let offset): return .context(offset &+ (try step(operation, width, right)))
        case .stack(let offset): return .stack(offset &+ (try step(operation, width, right)))
        case .mapValue(let words, let offset): return .mapValue(words, offset &+ (try step(operation, width, right)))
        case .map: throw .badOperands(slot: slot)
        }
    }

    /// How far an address moves: 64-bit additions and subtractions of numbers are all the arithmetic that it takes.
    private func step(
        _ operation: ArithmeticOperation, _ width: OperandWidth, _ distance: UInt64
    ) throws(InterpreterError) -> Int {
        guard width == .bits64, operation == .add || operation == .subtract else { throw .badOperands(slot: slot) }
        let signed = Int(truncatingIfNeeded: distance)
        return operation == .add ? signed : 0 &- signed
    }

    private func holds(
        _ comparison: Comparison, _ width: OperandWidth, _ left: Value, _ right: Value
    ) throws(InterpreterError) -> Bool {
        guard case .number(let right) = right else { throw .badOperands(slot: slot) }
        switch left {
        case .number(let left):
            return width == .bits64
                ? comparison.holds(left, right)
                : comparison.holds(UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
        case .mapValue:
            // The one thing that may be asked of a pointer: whether the lookup found anything.
            guard right == 0, width == .bits64, comparison == .equal || comparison == .notEqual else {
                throw .badOperands(slot: slot)
            }
            return comparison == .notEqual
        case .context, .stack, .map:
            throw .badOperands(slot: slot)
        }
    }
}

// Memory and calls.
extension BPFMachine {
    private func load(_ size: AccessSize, _ base: Value, _ offset: Int) throws(InterpreterError) -> UInt64 {
        switch base {
        case .context(let start):
            return UInt64(cb[try controlWord(size, start &+ offset)])
        case .stack(let start):
            var result: UInt64 = 0
            for (index, place) in try stackBytes(size, start &+ offset).enumerated() {
                guard let byte = stack[place] else { throw .uninitialisedStack(slot: slot) }
                result |= UInt64(byte) << UInt64(8 * index)
            }
            return result
        case .mapValue(let words, let start):
            let place = start &+ offset
            guard place >= 0, place % size.bytes == 0, place <= words.count * 8 - size.bytes else {
                throw .badAccess(slot: slot, detail: "\(size) at \(place) of a map value of \(words.count * 8) bytes")
            }
            let shifted = words[place / 8] >> UInt64(place % 8 * 8)
            return size == .double ? shifted : shifted & (1 << UInt64(size.bytes * 8) - 1)
        case .number, .map:
            throw .badAccess(slot: slot, detail: "load through a register that holds no address")
        }
    }

    private mutating func store(
        _ size: AccessSize, _ base: Value, _ offset: Int, _ number: UInt64
    ) throws(InterpreterError) {
        switch base {
        case .context(let start):
            cb[try controlWord(size, start &+ offset)] = UInt32(truncatingIfNeeded: number)
        case .stack(let start):
            for (index, place) in try stackBytes(size, start &+ offset).enumerated() {
                stack[place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
            }
        case .mapValue:
            throw .badAccess(slot: slot, detail: "store to a map value: programs only read peers")
        case .number, .map:
            throw .badAccess(slot: slot, detail: "store through a register that holds no address")
        }
    }

    private func controlWord(_ size: AccessSize, _ offset: Int) throws(InterpreterError) -> Int {
        let start = Int(ControlBlock.start)
        guard size == .word, offset >= start, offset % ControlBlock.registerBytes == 0,
            offset < start + ControlBlock.registerBytes * cb.count
        else {
            throw .badAccess(slot: slot, detail: "\(size) at \(offset) of the context")
        }
        return (offset - start) / ControlBlock.registerBytes
    }

    private func stackBytes(_ size: AccessSize, _ offset: Int) throws(InterpreterError) -> Range<Int> {
        let start = offset &+ Self.stackBytes
        guard start >= 0, start % size.bytes == 0, start <= Self.stackBytes - size.bytes else {
            throw .badAccess(slot: slot, detail: "\(size) at \(offset) of the stack")
        }
        return start..<start + size.bytes
    }

    private mutating func call(
        _ helper: Helper, _ maps: some BPFInterpreter.Maps
    ) throws(InterpreterError) -> BPFInterpreter.Ending? {
        let result: Value
        switch helper {
        case .mapLookup:
            guard case .map(let map) = try read(.r1), map == .peers, case .stack(let place) = try read(.r2) else {
                throw .badArgument(slot: slot, helper)
            }
            let key = UInt32(truncatingIfNeeded: try load(.word, .stack(place), 0))
            result = maps.lookup(map, key: key).map { .mapValue($0, 0) } ?? .number(0)
        case .tailCall:
            guard case .context(0) = try read(.r1), case .map(let map) = try read(.r2), map == .steps,
                case .number(let index) = try read(.r3)
            else { throw .badArgument(slot: slot, helper) }
            let index32 = UInt32(truncatingIfNeeded: index)
            if maps.hasProgram(map, index: index32) { return .tailCall(map, index: index32) }
            // A failed tail call returns an error in r0 that the verifier does not let programs rely on.
            result = .number(UInt64(bitPattern: -2))
        }
        for register in [Register.r1, .r2, .r3, .r4, .r5] { registers[Int(register.rawValue)] = nil }
        registers[Int(Register.r0.rawValue)] = result
        return nil
    }
}
