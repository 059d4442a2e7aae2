import BPFEmit
import Testing

@Suite("Labels and jumps")
struct LabelTests {
    @Test("labels never placed are an error that lists them all")
    func unresolved() {
        var b = ProgramBuilder()
        let second = b.label("second")
        let first = b.label("first")
        let placed = b.label("placed")
        b.move(.r0, imm: 0)
        b.jump(.equal, .r0, imm: 1, to: second)
        b.jump(.equal, .r0, imm: 2, to: first)
        b.jump(.equal, .r0, imm: 3, to: placed)
        b.place(placed)
        b.exit()
        #expect(throws: AssemblyError.unresolvedLabels(["first", "second"])) { try b.assemble() }
    }

    @Test("a label nobody jumps to need not be placed")
    func unused() throws {
        var b = ProgramBuilder()
        _ = b.label("unused")
        b.exit(returning: 0)
        #expect(try b.assemble().instructions.count == 2)
    }

    @Test("a label placed twice is an error")
    func twice() {
        var b = ProgramBuilder()
        let label = b.label("twice")
        b.place(label)
        b.move(.r0, imm: 0)
        b.place(label)
        b.exit()
        #expect(throws: AssemblyError.labelPlacedTwice("twice")) { try b.assemble() }
    }

    @Test("a program that runs off its end is an error: empty, no exit, or a label behind the last instruction")
    func offTheEnd() {
        var b = ProgramBuilder()
        #expect(throws: AssemblyError.runsOffTheEnd) { try b.assemble() }
        b.move(.r0, imm: 0)
        #expect(throws: AssemblyError.runsOffTheEnd) { try b.assemble() }
        let end = b.label("end")
        b.jump(.equal, .r0, imm: 0, to: end)
        b.exit()
        b.place(end)
        #expect(throws: AssemblyError.runsOffTheEnd) { try b.assemble() }
    }

    @Test("a jump back that is too far is an error, not another jump")
    func farBack() {
        var b = ProgramBuilder()
        let start = b.label("start")
        b.place(start)
        for _ in 0..<40_000 { b.move(.r0, imm: 0) }
        b.jump(to: start)
        #expect(throws: AssemblyError.jumpTooFar(slot: 40_000, label: "start")) { try b.assemble() }
    }

    @Test("more instructions than the kernel takes are an error")
    func tooLong() {
        var b = ProgramBuilder()
        for _ in 0..<500_001 { b.append(.loadConstant(.r0, 0)) }
        b.exit()
        #expect(throws: AssemblyError.tooLong(slots: 1_000_003, limit: 1_000_000)) { try b.assemble() }
    }

    @Test("a jump that needs no code is left out")
    func needless() throws {
        var b = ProgramBuilder()
        let next = b.label("next")
        b.move(.r0, imm: 7)
        b.jump(to: next)
        b.place(next)
        b.exit()
        let program = try b.assemble()
        #expect(try program.decoded().count == 2)
        #expect(try Programs.run(program) == .returned(7))
    }

    /// Distances around the reach of 16 bits and of several islands.
    @Test(
        "forward jumps of any distance arrive",
        arguments: [
            32_766, 32_767, 32_768, 32_769, 31_743, 31_744, 31_745, 65_536, 100_000, 200_000,
        ])
    func far(distance: Int) throws {
        var b = ProgramBuilder()
        let end = b.label("end")
        b.move(.r0, imm: 1)
        b.move(.r2, imm: 5)
        b.jump(.equal, .r2, imm: 5, to: end)
        for _ in 0..<distance { b.move(.r0, imm: 2) }
        b.place(end)
        b.exit()
        let program = try b.assemble()
        #expect(try Programs.flaws(program) == [])
        #expect(try Programs.run(program) == .returned(1))
    }

    @Test("code between a far jump and its label runs over the islands undisturbed")
    func fallsOver() throws {
        var b = ProgramBuilder()
        let end = b.label("end")
        b.move(.r0, imm: 0)
        b.jump(.equal, .r0, imm: 5, to: end)
        for _ in 0..<100_000 { b.add(.r0, imm: 1) }
        b.place(end)
        b.exit()
        let program = try b.assemble()
        #expect(try Programs.flaws(program) == [])
        #expect(try Programs.run(program) == .returned(100_000))
    }

    @Test("thousands of far labels at once arrive, each at its own place")
    func manyFar() throws {
        for chosen in [0, 1, 1499, 2999] {
            var b = ProgramBuilder()
            let labels = (0..<3000).map { b.label("\($0)") }
            b.move(.r2, imm: Int32(chosen))
            for (index, label) in labels.enumerated() { b.jump(.equal, .r2, imm: Int32(index), to: label) }
            for _ in 0..<60_000 { b.move(.r0, imm: -1) }
            for (index, label) in labels.enumerated() {
                b.exit(returning: -2)
                b.place(label)
                b.move(.r0, imm: Int32(index))
            }
            b.exit()
            let program = try b.assemble()
            // Every label but the last runs into the next one's "-2" unless it is the last.
            let expected: UInt64 = chosen == 2999 ? 2999 : UInt64(bitPattern: -2)
            #expect(try Programs.run(program) == .returned(expected))
            #expect(try Programs.flaws(program) == [])
        }
    }

    @Test("linking is deterministic")
    func deterministic() throws {
        func program() throws -> EncodedProgram {
            var b = ProgramBuilder()
            let labels = (0..<50).map { b.label("\($0)") }
            b.move(.r0, imm: 0)
            for label in labels { b.jump(.equal, .r0, imm: 1, to: label) }
            for _ in 0..<70_000 { b.move(.r0, imm: 3) }
            for label in labels {
                b.place(label)
                b.move(.r0, imm: 4)
            }
            b.exit()
            return try b.assemble()
        }
        #expect(try program() == program())
    }
}
