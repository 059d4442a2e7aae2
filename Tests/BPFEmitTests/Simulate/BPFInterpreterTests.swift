import BPFEmit
import BPFSimulate
import Testing

@Suite("Interpreter")
struct BPFInterpreterTests {
    /// What the verifier refuses, and the interpreter must not let pass either.
    static let refused: [(String, [Instruction], InterpreterError)] = [
        (
            "reading a register never written", [.arithmetic(.move, .bits64, .r0, .register(.r3)), .exit],
            .uninitialisedRegister(slot: 0, .r3)
        ),
        ("returning nothing", [.exit], .uninitialisedRegister(slot: 0, .r0)),
        ("returning an address", [.arithmetic(.move, .bits64, .r0, .register(.r1)), .exit], .badReturnValue(slot: 1)),
        ("writing r10", [.arithmetic(.move, .bits64, .r10, .immediate(0)), .exit], .readOnlyRegister(slot: 0)),
        ("running off the end", [.arithmetic(.move, .bits64, .r0, .immediate(0))], .notAnInstruction(slot: 1)),
        ("jumping outside", [.jump(offset: -2)], .notAnInstruction(slot: -1)),
        ("jumping into a load", [.jump(offset: 1), .loadConstant(.r0, 1), .exit], .notAnInstruction(slot: 2)),
        (
            "reading stack never written", [.load(.word, .r0, base: .r10, offset: -4), .exit],
            .uninitialisedStack(slot: 0)
        ),
        (
            "reading above the stack", [.load(.word, .r0, base: .r10, offset: 0), .exit],
            .badAccess(slot: 0, detail: "u32 at 0 of the stack")
        ),
        (
            "writing below the stack", [.storeImmediate(.double, base: .r10, offset: -520, 0), .exit],
            .badAccess(slot: 0, detail: "u64 at -520 of the stack")
        ),
        (
            "unaligned stack", [.storeImmediate(.word, base: .r10, offset: -5, 0), .exit],
            .badAccess(slot: 0, detail: "u32 at -5 of the stack")
        ),
        (
            "context outside cb", [.load(.word, .r0, base: .r1, offset: 44), .exit],
            .badAccess(slot: 0, detail: "u32 at 44 of the context")
        ),
        (
            "context behind cb", [.load(.word, .r0, base: .r1, offset: 68), .exit],
            .badAccess(slot: 0, detail: "u32 at 68 of the context")
        ),
        (
            "64 bits of the context", [.load(.double, .r0, base: .r1, offset: 48), .exit],
            .badAccess(slot: 0, detail: "u64 at 48 of the context")
        ),
        (
            "immediate store to the context", [.storeImmediate(.word, base: .r1, offset: 48, 0), .exit],
            .badAccess(slot: 0, detail: "immediate store to the context")
        ),
        (
            "load through a number",
            [.arithmetic(.move, .bits64, .r2, .immediate(8)), .load(.word, .r0, base: .r2, offset: 0), .exit],
            .badAccess(slot: 1, detail: "load through a register that holds no address")
        ),
        (
            "32-bit arithmetic on an address", [.arithmetic(.add, .bits32, .r1, .immediate(1)), .exit],
            .badOperands(slot: 0)
        ),
        (
            "comparing addresses", [.branch(.equal, .bits64, .r1, .register(.r10), offset: 0), .exit],
            .badOperands(slot: 0)
        ),
        ("storing an address", [.store(.double, base: .r10, offset: -8, source: .r1), .exit], .badOperands(slot: 0)),
        (
            "lookup without a map", [.arithmetic(.move, .bits64, .r1, .immediate(0)), .call(.mapLookup), .exit],
            .badArgument(slot: 1, .mapLookup)
        ),
        (
            "lookup with a key that is not there",
            [
                .loadMap(.r1, .peers), .arithmetic(.move, .bits64, .r2, .register(.r10)),
                .arithmetic(.add, .bits64, .r2, .immediate(-4)), .call(.mapLookup), .exit,
            ], .uninitialisedStack(slot: 4)
        ),
        (
            "an argument used after the call",
            [
                .loadMap(.r2, .steps), .arithmetic(.move, .bits64, .r3, .immediate(0)), .call(.tailCall),
                .arithmetic(.move, .bits64, .r0, .register(.r3)), .exit,
            ], .uninitialisedRegister(slot: 4, .r3)
        ),
        (
            "tail call with a map that holds no programs",
            [.loadMap(.r2, .peers), .arithmetic(.move, .bits64, .r3, .immediate(0)), .call(.tailCall), .exit],
            .badArgument(slot: 3, .tailCall)
        ),
        ("an endless loop", [.jump(offset: -1)], .budgetExceeded(1000)),
    ]

    @Test("refuses what the verifier refuses", arguments: refused.indices)
    func refuses(index: Int) {
        let (what, instructions, expected) = Self.refused[index]
        #expect(throws: expected, "\(what)") { try Programs.run(Programs.encode(instructions), budget: 1000) }
    }

    @Test("no distance takes an address out of its bounds unnoticed", arguments: [Register.r1, .r10])
    func farAddresses(base: Register) throws {
        for distance in [UInt64(Int.max), UInt64(bitPattern: Int64.min), 1 << 63 - 64, .max] {
            let program = Programs.encode([
                .loadConstant(.r2, distance), .arithmetic(.move, .bits64, .r3, .register(base)),
                .arithmetic(.add, .bits64, .r3, .register(.r2)), .load(.word, .r0, base: .r3, offset: .max), .exit,
            ])
            #expect(throws: InterpreterError.self) { try Programs.run(program) }
        }
    }

    @Test("a lookup's value can be read inside its words only")
    func mapValue() throws {
        struct One: BPFInterpreter.Maps {
            func lookup(_ map: MapSymbol, key: UInt32) -> [UInt64]? { key == 3 ? [0x1122_3344_5566_7788, 9] : nil }
            func hasProgram(_ map: MapSymbol, index: UInt32) -> Bool { false }
        }
        func read(_ size: AccessSize, _ offset: Int16, key: Int32 = 3) throws -> BPFInterpreter.Ending {
            let program = Programs.encode([
                .storeImmediate(.word, base: .r10, offset: -4, key),
                .arithmetic(.move, .bits64, .r2, .register(.r10)), .arithmetic(.add, .bits64, .r2, .immediate(-4)),
                .loadMap(.r1, .peers), .call(.mapLookup), .branch(.equal, .bits64, .r0, .immediate(0), offset: 1),
                .load(size, .r0, base: .r0, offset: offset), .exit,
            ])
            var cb: [UInt32] = [0, 0, 0, 0, 0]
            return try BPFInterpreter(program).run(cb: &cb, maps: One())
        }
        #expect(try read(.double, 0) == .returned(0x1122_3344_5566_7788))
        #expect(try read(.double, 8) == .returned(9))
        #expect(try read(.word, 4) == .returned(0x1122_3344))
        #expect(try read(.byte, 1) == .returned(0x77))
        #expect(try read(.double, 0, key: 4) == .returned(0))
        for (size, offset) in [(.double, 16), (.double, -8), (.double, 4), (.word, 16)] as [(AccessSize, Int16)] {
            #expect(throws: InterpreterError.self) { try read(size, offset) }
        }
    }

    /// Operation, operands, result in 64 and in 32 bits.
    static let arithmetic: [(ArithmeticOperation, UInt64, UInt64, UInt64, UInt64)] = [
        (.add, .max, 2, 1, 1),
        (.subtract, 1, 2, .max, 0xffff_ffff),
        (.multiply, 1 << 40, 1 << 30, 0, 0),
        (.divide, 7, 2, 3, 3),
        (.divide, 7, 0, 0, 0),
        (.modulo, 7, 4, 3, 3),
        (.modulo, 0x1_0000_0007, 0, 0x1_0000_0007, 7),
        (.or, 1 << 63, 1, 1 << 63 | 1, 1),
        (.and, .max, 0x1_0000_0001, 0x1_0000_0001, 1),
        (.xor, .max, 1, .max - 1, 0xffff_fffe),
        (.shiftLeft, 1, 63, 1 << 63, 0x8000_0000),
        (.shiftRight, 1 << 63, 63, 1, 0),
        (.shiftRightSigned, 1 << 63, 63, .max, 0),
        (.shiftRightSigned, 0x8000_0000, 31, 1, 0xffff_ffff),
        (.move, 5, 1 << 40 | 7, 1 << 40 | 7, 7),
    ]

    @Test("arithmetic computes as the machine does, 32-bit forms clearing the high half", arguments: arithmetic.indices)
    func computes(index: Int) throws {
        let (operation, left, right, wide, narrow) = Self.arithmetic[index]
        for (width, expected) in [(OperandWidth.bits64, wide), (.bits32, narrow)] {
            let program = Programs.encode([
                .loadConstant(.r0, left), .loadConstant(.r2, right), .arithmetic(operation, width, .r0, .register(.r2)),
                .exit,
            ])
            #expect(try Programs.run(program) == .returned(expected), "\(operation) \(width)")
        }
    }

    @Test("comparisons decide as the machine does, at their width and sign")
    func compares() throws {
        let values: [UInt64] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 63, .max]
        for left in values {
            for right in values {
                let signed = (Int64(bitPattern: left), Int64(bitPattern: right))
                let low = (Int32(truncatingIfNeeded: left), Int32(truncatingIfNeeded: right))
                let expected: [(Comparison, Bool, Bool)] = [
                    (.equal, left == right, low.0 == low.1), (.notEqual, left != right, low.0 != low.1),
                    (.above, left > right, UInt32(bitPattern: low.0) > UInt32(bitPattern: low.1)),
                    (.atMost, left <= right, UInt32(bitPattern: low.0) <= UInt32(bitPattern: low.1)),
                    (.atLeast, left >= right, UInt32(bitPattern: low.0) >= UInt32(bitPattern: low.1)),
                    (.below, left < right, UInt32(bitPattern: low.0) < UInt32(bitPattern: low.1)),
                    (.anyBitOf, left & right != 0, low.0 & low.1 != 0),
                    (.aboveSigned, signed.0 > signed.1, low.0 > low.1),
                    (.atLeastSigned, signed.0 >= signed.1, low.0 >= low.1),
                    (.belowSigned, signed.0 < signed.1, low.0 < low.1),
                    (.atMostSigned, signed.0 <= signed.1, low.0 <= low.1),
                ]
                for (comparison, wide, narrow) in expected {
                    for (width, holds) in [(OperandWidth.bits64, wide), (.bits32, narrow)] {
                        let program = Programs.encode([
                            .arithmetic(.move, .bits64, .r0, .immediate(1)), .loadConstant(.r2, left),
                            .loadConstant(.r3, right), .branch(comparison, width, .r2, .register(.r3), offset: 1),
                            .arithmetic(.move, .bits64, .r0, .immediate(0)), .exit,
                        ])
                        #expect(try Programs.run(program) == .returned(holds ? 1 : 0))
                    }
                }
            }
        }
    }
}
