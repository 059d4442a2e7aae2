import Testing

@testable import BPFEmit

@Suite("Pass: write")
struct PolicyProgramWriterTests {
    private static let allow = DecisionGroups.Outcome(verdict: .allow, decision: .rule)
    private static let l7 = DecisionGroups.Outcome(verdict: .l7, decision: .rule)
    private static let defaultDeny = DecisionGroups.Outcome(verdict: .deny, decision: .defaultDeny)

    /// The text of a layout's program up to where the answer is written, which is the same for all.
    private static func text(_ layout: BlockLayout) throws -> String {
        let text = try Disassembler.text(PolicyProgramWriter.write(layout).assemble())
        let lines = text.split(separator: "\n").prefix { !$0.hasPrefix("; answer with") }
        return lines.map { $0 + "\n" }.joined()
    }

    @Test("without a peers map nothing is looked up")
    func unknownAlone() throws {
        let text = try Self.text(BlockLayout(known: nil, unknown: [.fallback(Self.defaultDeny)]))
        let expected = """
                 0: r6 = r1
            ; default deny
                 1: r5 = 16777218
                 2: r1 = 0

            """
        #expect(text == expected)
    }

    @Test("a remote with an entry goes the first way, another one the second")
    func both() throws {
        let text = try Self.text(
            BlockLayout(
                known: [.test(word: 1, specific: 1, everyone: 0, Self.allow, isLast: false), .jump(to: 0)],
                unknown: [
                    .test(word: 0, specific: 0, everyone: 2, Self.l7, isLast: true), .place(0),
                    .fallback(Self.defaultDeny),
                ]))
        let expected = """
                 0: r6 = r1
            ; rule bits of the remote's identity
                 1: r1 = *(u32 *)(r6 + 52)
                 2: *(u32 *)(r10 - 4) = r1
                 3: r2 = r10
                 4: r2 += -4
                 5: r1 = map[peers]
                 7: call map_lookup_elem
                 8: if r0 == 0 goto 14
            ; bit 64
                 9: r5 = 257
                10: r1 = *(u64 *)(r0 + 8)
                11: r1 &= 1
                12: if r1 != 0 goto 19
                13: goto 17
            ; bit 1
                14: r5 = 3
                15: r1 = 2
                16: goto 22
            ; default deny
                17: r5 = 16777218
                18: r1 = 0

            """
        #expect(text == expected)
    }

    @Test("each kind of block has its code")
    func blocks() throws {
        let text = try Self.text(
            BlockLayout(
                known: nil,
                unknown: [
                    .loadTraffic, .split(from: 0x8000_0000, jumping: .below, to: 0),
                    .split(from: 6 << 16 | 80, jumping: .atLeast, to: 1),
                    .branch(word: 0, specific: 1, .pass, jumping: .match, to: 0),
                    .branch(word: 0, specific: 2, .host, jumping: .noMatch, to: 1), .fallback(Self.defaultDeny),
                    .place(0), .test(word: 0, specific: 0, everyone: 1 << 40, Self.l7, isLast: true),
                    .place(1), .test(word: 0, specific: 3, everyone: 4, Self.allow, isLast: true),
                ]))
        let expected = """
                 0: r6 = r1
                 1: r2 = *(u32 *)(r6 + 56)
            ; proto-0/0 and up, or below?
                 2: if w2 < -2147483648 goto 13
            ; TCP/80 and up, or below?
                 3: if w2 >= 393296 goto 17
            ; bit 0
                 4: r1 = *(u64 *)(r0 + 0)
                 5: r1 &= 1
                 6: if r1 != 0 goto 13
            ; the local node reaches its pods
                 7: r1 = *(u64 *)(r0 + 0)
                 8: r1 &= 2
                 9: if r1 == 0 goto 17
            ; default deny
                10: r5 = 16777218
                11: r1 = 0
                12: goto 21
            ; bit 40
                13: r5 = 3
                14: r1 = 0x10000000000 ll
                16: goto 24
            ; bit 0
            ; bit 1
            ; bit 2
                17: r5 = 1
                18: r1 = *(u64 *)(r0 + 0)
                19: r1 &= 3
                20: r1 |= 4

            """
        #expect(text == expected)
    }

    @Test("masks that need 64 bits go through the scratch register and leave the answer alone")
    func wideMasks() throws {
        let block = BlockLayout.Block.test(
            word: 0, specific: 1 << 40 | 1, everyone: 1 << 50, Self.allow, isLast: true)
        let text = try Self.text(BlockLayout(known: nil, unknown: [block]))
        let expected = """
                 0: r6 = r1
            ; bit 0
            ; bit 40
            ; bit 50
                 1: r5 = 1
                 2: r1 = *(u64 *)(r0 + 0)
                 3: r3 = 0x10000000001 ll
                 5: r1 &= r3
                 6: r3 = 0x4000000000000 ll
                 8: r1 |= r3

            """
        #expect(text == expected)
    }

    @Test("the answer for cb[3] is verdict, word and decision, side by side")
    func packed() {
        #expect(Self.allow.packed(word: 0) == 0x0000_0001)
        #expect(Self.l7.packed(word: 63) == 0x0000_3f03)
        #expect(Self.defaultDeny.packed(word: 0) == 0x0100_0002)
    }
}
