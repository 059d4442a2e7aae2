import Testing

@testable import Datapath

/// Logs of kernel 6.18's verifier, and the lines of them that people need.
@Suite("verifier logs")
struct VerifierLogTests {
    struct Example: CustomTestStringConvertible {
        let testDescription: String
        let log: String
        let decisive: [String]
    }

    @Test("the decisive lines are the verdict and the instruction it is about", arguments: examples)
    func decisive(example: Example) {
        #expect(VerifierLog(example.log).decisiveLines == example.decisive)
    }

    @Test("the source line above the instruction is kept, statistics and trailing blanks are not")
    func source() {
        let log = VerifierLog(
            """
            func#0 @0
            ; int key = skb->len; @ np_veth.bpf.c:12
            0: (61) r2 = *(u32 *)(r1 +0)
            1: (71) r0 = *(u8 *)(r2 +0)
            R2 invalid mem access 'scalar'
            verification time 33 usec
            stack depth 0
            processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0

            """)
        #expect(
            log.decisiveLines == [
                "; int key = skb->len; @ np_veth.bpf.c:12", "1: (71) r0 = *(u8 *)(r2 +0)",
                "R2 invalid mem access 'scalar'",
            ])
    }

    @Test("a program that is too large says so and nothing else")
    func tooLarge() {
        let log = VerifierLog(
            """
            999998: (bf) r1 = r6                 ; R1_w=ctx() R6=ctx()
            BPF program is too large. Processed 1000001 insn
            processed 1000001 insns (limit 1000000) max_states_per_insn 40 total_states 9 peak_states 9 mark_read 5
            """)
        #expect(log.decisiveLines.last == "BPF program is too large. Processed 1000001 insn")
        #expect(log.decisiveLines.count <= 6)
    }

    @Test(
        "an empty log has no lines, one that only holds statistics neither",
        arguments: ["", "\n\n", "processed 0 insns\n"])
    func empty(text: String) { #expect(VerifierLog(text).decisiveLines == []) }

    @Test("a log cut anywhere still gives lines of it, and never more than six")
    func truncated() {
        for example in Self.examples {
            for length in 0..<example.log.count {
                let cut = String(example.log.prefix(length))
                let lines = VerifierLog(cut).decisiveLines
                #expect(lines.count <= 6)
                #expect(lines.allSatisfy { cut.contains($0) })
            }
        }
    }

    static let examples: [Example] = [
        Example(
            testDescription: "an uninitialised register",
            log: """
                0: R1=ctx() R10=fp0
                0: (bf) r0 = r7
                R7 !read_ok
                processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
                """,
            decisive: [
                "0: R1=ctx() R10=fp0",
                "0: (bf) r0 = r7",
                "R7 !read_ok",
            ]),
        Example(
            testDescription: "a map value that was not checked",
            log: """
                0: R1=ctx() R10=fp0
                0: (b7) r2 = 0                        ; R2=0
                1: (63) *(u32 *)(r10 -4) = r2         ; R2=0 R10=fp0 fp-8=0000????
                2: (bf) r2 = r10                      ; R2=fp0 R10=fp0
                3: (07) r2 += -4                      ; R2=fp-4
                4: (18) r1 = 0xffff8881043d8c00       ; R1=map_ptr(map=m,ks=4,vs=8)
                6: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=m,ks=4,vs=8)
                7: (79) r0 = *(u64 *)(r0 +0)
                R0 invalid mem access 'map_value_or_null'
                processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
                """,
            decisive: [
                "7: (79) r0 = *(u64 *)(r0 +0)",
                "R0 invalid mem access 'map_value_or_null'",
            ]),
        Example(
            testDescription: "a read behind the map value",
            log: """
                0: R1=ctx() R10=fp0
                0: (b7) r2 = 0                        ; R2=0
                1: (63) *(u32 *)(r10 -4) = r2         ; R2=0 R10=fp0 fp-8=0000????
                2: (bf) r2 = r10                      ; R2=fp0 R10=fp0
                3: (07) r2 += -4                      ; R2=fp-4
                4: (18) r1 = 0xffff8881043d8c00       ; R1=map_ptr(map=m,ks=4,vs=8)
                6: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=m,ks=4,vs=8)
                7: (15) if r0 == 0x0 goto pc+1        ; R0=map_value(map=m,ks=4,vs=8)
                8: (79) r0 = *(u64 *)(r0 +8)
                invalid access to map value, value_size=8 off=8 size=8
                R0 min value is outside of the allowed memory range
                processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
                """,
            decisive: [
                "8: (79) r0 = *(u64 *)(r0 +8)",
                "invalid access to map value, value_size=8 off=8 size=8",
                "R0 min value is outside of the allowed memory range",
            ]),
        Example(
            testDescription: "unreachable code",
            log: """
                unreachable insn 2
                processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
                """,
            decisive: [
                "unreachable insn 2"
            ]),
        Example(
            testDescription: "a jump out of the program",
            log: """
                jump out of range from insn 1 to 7
                processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
                """,
            decisive: [
                "jump out of range from insn 1 to 7"
            ]),
    ]
}
