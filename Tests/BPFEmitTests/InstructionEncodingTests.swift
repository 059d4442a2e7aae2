import BPFEmit
import NetpoldTestSupport
import Testing

@Suite("Instruction encoding")
struct InstructionEncodingTests {
    /// Instruction, its bytes as llvm-objdump prints them, its text at slot 10.
    static let forms: [(Instruction, String, String)] = [
        (.arithmetic(.move, .bits64, .r6, .register(.r1)), "bf 16 00 00 00 00 00 00", "r6 = r1"),
        (.arithmetic(.move, .bits64, .r0, .immediate(2)), "b7 00 00 00 02 00 00 00", "r0 = 2"),
        (.arithmetic(.move, .bits32, .r3, .immediate(-1)), "b4 03 00 00 ff ff ff ff", "w3 = -1"),
        (.arithmetic(.add, .bits64, .r2, .immediate(-4)), "07 02 00 00 fc ff ff ff", "r2 += -4"),
        (.arithmetic(.subtract, .bits64, .r2, .register(.r3)), "1f 32 00 00 00 00 00 00", "r2 -= r3"),
        (.arithmetic(.multiply, .bits32, .r4, .immediate(9)), "24 04 00 00 09 00 00 00", "w4 *= 9"),
        (.arithmetic(.divide, .bits64, .r5, .register(.r6)), "3f 65 00 00 00 00 00 00", "r5 /= r6"),
        (.arithmetic(.or, .bits64, .r1, .register(.r3)), "4f 31 00 00 00 00 00 00", "r1 |= r3"),
        (.arithmetic(.and, .bits64, .r1, .immediate(15)), "57 01 00 00 0f 00 00 00", "r1 &= 15"),
        (.arithmetic(.and, .bits32, .r1, .register(.r2)), "5c 21 00 00 00 00 00 00", "w1 &= w2"),
        (.arithmetic(.shiftLeft, .bits64, .r7, .immediate(32)), "67 07 00 00 20 00 00 00", "r7 <<= 32"),
        (.arithmetic(.shiftRight, .bits64, .r7, .immediate(32)), "77 07 00 00 20 00 00 00", "r7 >>= 32"),
        (.arithmetic(.modulo, .bits64, .r8, .immediate(3)), "97 08 00 00 03 00 00 00", "r8 %= 3"),
        (.arithmetic(.xor, .bits64, .r8, .register(.r9)), "af 98 00 00 00 00 00 00", "r8 ^= r9"),
        (.arithmetic(.shiftRightSigned, .bits32, .r9, .immediate(1)), "c4 09 00 00 01 00 00 00", "w9 s>>= 1"),
        (.negate(.bits64, .r2), "87 02 00 00 00 00 00 00", "r2 = -r2"),
        (.negate(.bits32, .r2), "84 02 00 00 00 00 00 00", "w2 = -w2"),
        (.load(.word, .r1, base: .r6, offset: 52), "61 61 34 00 00 00 00 00", "r1 = *(u32 *)(r6 + 52)"),
        (.load(.half, .r1, base: .r6, offset: 0), "69 61 00 00 00 00 00 00", "r1 = *(u16 *)(r6 + 0)"),
        (.load(.byte, .r1, base: .r10, offset: -1), "71 a1 ff ff 00 00 00 00", "r1 = *(u8 *)(r10 - 1)"),
        (.load(.double, .r1, base: .r0, offset: 504), "79 01 f8 01 00 00 00 00", "r1 = *(u64 *)(r0 + 504)"),
        (.store(.word, base: .r10, offset: -4, source: .r1), "63 1a fc ff 00 00 00 00", "*(u32 *)(r10 - 4) = r1"),
        (.store(.double, base: .r10, offset: -8, source: .r1), "7b 1a f8 ff 00 00 00 00", "*(u64 *)(r10 - 8) = r1"),
        (.storeImmediate(.word, base: .r10, offset: -4, 7), "62 0a fc ff 07 00 00 00", "*(u32 *)(r10 - 4) = 7"),
        (
            .loadConstant(.r3, 0x1234_5678_9abc_def0), "18 03 00 00 f0 de bc 9a 00 00 00 00 78 56 34 12",
            "r3 = 0x123456789abcdef0 ll"
        ),
        (.loadMap(.r2, .steps), "18 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "r2 = map[np_steps]"),
        (.jump(offset: -3), "05 00 fd ff 00 00 00 00", "goto 8"),
        (.branch(.equal, .bits64, .r0, .immediate(0), offset: 5), "15 00 05 00 00 00 00 00", "if r0 == 0 goto 16"),
        (.branch(.notEqual, .bits64, .r1, .register(.r2), offset: 5), "5d 21 05 00 00 00 00 00", "if r1 != r2 goto 16"),
        (.branch(.above, .bits32, .r2, .immediate(9), offset: 1), "26 02 01 00 09 00 00 00", "if w2 > 9 goto 12"),
        (.branch(.atLeast, .bits32, .r2, .immediate(9), offset: 1), "36 02 01 00 09 00 00 00", "if w2 >= 9 goto 12"),
        (.branch(.anyBitOf, .bits64, .r2, .immediate(8), offset: 1), "45 02 01 00 08 00 00 00", "if r2 & 8 goto 12"),
        (.branch(.below, .bits32, .r2, .immediate(9), offset: 1), "a6 02 01 00 09 00 00 00", "if w2 < 9 goto 12"),
        (.branch(.atMost, .bits64, .r2, .immediate(9), offset: 1), "b5 02 01 00 09 00 00 00", "if r2 <= 9 goto 12"),
        (
            .branch(.aboveSigned, .bits64, .r2, .immediate(9), offset: 1), "65 02 01 00 09 00 00 00",
            "if r2 s> 9 goto 12"
        ),
        (
            .branch(.atLeastSigned, .bits64, .r2, .immediate(9), offset: 1), "75 02 01 00 09 00 00 00",
            "if r2 s>= 9 goto 12"
        ),
        (
            .branch(.belowSigned, .bits64, .r2, .immediate(9), offset: 1), "c5 02 01 00 09 00 00 00",
            "if r2 s< 9 goto 12"
        ),
        (
            .branch(.atMostSigned, .bits64, .r2, .immediate(9), offset: 1), "d5 02 01 00 09 00 00 00",
            "if r2 s<= 9 goto 12"
        ),
        (.call(.mapLookup), "85 00 00 00 01 00 00 00", "call map_lookup_elem"),
        (.call(.tailCall), "85 00 00 00 0c 00 00 00", "call tail_call"),
        (.exit, "95 00 00 00 00 00 00 00", "exit"),
    ]

    @Test("each form encodes to the bytes other assemblers give, decodes back and reads well", arguments: forms.indices)
    func form(index: Int) throws {
        let (instruction, bytes, text) = Self.forms[index]
        let program = Programs.encode([instruction])
        #expect(Programs.bytes(program) == bytes)
        #expect(try program.decoded().map(\.instruction) == [instruction])
        #expect(instruction.text(at: 10) == text)
    }

    @Test("random instructions survive encoding and decoding", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let instructions = (0..<500).map { _ in Programs.random(&random) }
        #expect(try Programs.encode(instructions).decoded().map(\.instruction) == instructions)
    }

    /// Words that are not of the subset, and what the error says.
    static let foreign: [([UInt64], Int, String)] = [
        ([0xff], 0, "slot 0: unknown opcode 0xff"),
        ([0x95, 0x0000_0063_0000_0085], 1, "slot 1: unknown helper 99"),
        ([0x0000_0000_0000_0bb7], 0, "slot 0: unknown register r11"),
        ([0x0000_0001_0000_0095], 0, "slot 0: reserved field is not zero"),
        ([0x18], 0, "slot 0: 64-bit load without its second half"),
        ([0x18, 0x95], 0, "slot 0: reserved field is not zero"),
        ([0x20], 0, "slot 0: unknown opcode 0x20"),
        ([0xdb], 0, "slot 0: unknown opcode 0xdb"),
    ]

    @Test("words outside the subset are refused with their slot", arguments: foreign.indices)
    func refuses(index: Int) {
        let (words, slot, message) = Self.foreign[index]
        let error = #expect(throws: DecodeError.self) {
            try EncodedProgram(instructions: words, mapReferences: []).decoded()
        }
        #expect(error?.slot == slot)
        #expect(error?.description == message)
    }

    @Test(
        "constants are moved in the shortest form that keeps every bit",
        arguments: [
            (0 as UInt64, 1), (0x7fff_ffff, 1), (0x8000_0000, 1), (0xffff_ffff, 1), (0x1_0000_0000, 2), (.max, 1),
            (1 << 63, 2), (0xffff_ffff_8000_0000, 1), (0xffff_ffff_7fff_ffff, 2),
        ])
    func constants(value: UInt64, slots: Int) throws {
        var b = ProgramBuilder()
        b.move(.r0, constant: value)
        b.exit()
        let program = try b.assemble()
        #expect(program.instructions.count == slots + 1)
        #expect(try Programs.run(program) == .returned(value))
    }

    @Test(
        "masks are applied in the shortest form that keeps every bit",
        arguments: [
            0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, .max, 1 << 63, 0xffff_ffff_8000_0000,
            0x1234_5678_9abc_def0,
        ] as [UInt64])
    func masks(value: UInt64) throws {
        for start in [0, UInt64.max, 0xaaaa_5555_5555_aaaa] {
            var b = ProgramBuilder()
            b.move(.r0, constant: start)
            b.and(.r0, mask: value, scratch: .r1)
            b.exit()
            #expect(try Programs.run(b.assemble()) == .returned(start & value))

            b = ProgramBuilder()
            b.move(.r0, constant: start)
            b.or(.r0, bits: value, scratch: .r1)
            b.exit()
            #expect(try Programs.run(b.assemble()) == .returned(start | value))
        }
    }
}
