import BPFEmit
import Testing

/// Whole programs as text: a change of what is emitted shows here as a diff to be read.
@Suite("Disassembly")
struct GoldenDisassemblyTests {
    @Test("an isolated pod with two ports and the local node")
    func webAndHost() throws {
        let text = try PolicyEmitter.emit(PolicyExamples.webAndHost).disassembly
        let expected = """
                 0: r6 = r1
            ; rule bits of the remote's identity
                 1: r1 = *(u32 *)(r6 + 52)
                 2: *(u32 *)(r10 - 4) = r1
                 3: r2 = r10
                 4: r2 += -4
                 5: r1 = map[peers]
                 7: call map_lookup_elem
                 8: if r0 == 0 goto 25
            ; a remote that rules name
                 9: r2 = *(u32 *)(r6 + 56)
            ; TCP/81 and up, or below?
                10: if w2 >= 393297 goto 17
            ; TCP/80 and up, or below?
                11: if w2 < 393296 goto 19
            ; rule 0 allow NetworkPolicy shop/allow-web spec.ingress[0] (shop.yaml:12:5)
                12: r5 = 1
                13: r1 = *(u64 *)(r0 + 0)
                14: r1 &= 1
                15: if r1 != 0 goto 33
                16: goto 19
            ; TCP/443 and up, or below?
                17: if w2 < 393659 goto 19
            ; TCP/444 and up, or below?
                18: if w2 < 393660 goto 28
            ; the local node reaches its pods
                19: r1 = *(u64 *)(r0 + 0)
                20: r1 &= 4
                21: if r1 == 0 goto 31
            ; allow: the local node
                22: r5 = 50331649
                23: r1 = 0
                24: goto 33
            ; any other remote
                25: r2 = *(u32 *)(r6 + 56)
            ; TCP/443 and up, or below?
                26: if w2 < 393659 goto 31
            ; TCP/444 and up, or below?
                27: if w2 >= 393660 goto 31
            ; rule 1 allow NetworkPolicy shop/allow-web spec.ingress[1] (shop.yaml:20:5)
                28: r5 = 1
                29: r1 = 2
                30: goto 33
            ; default deny
                31: r5 = 16777218
                32: r1 = 0
            ; answer with the lowest matching bit: the first rule of its group
                33: r2 = r1
                34: r2 = -r2
                35: r1 &= r2
                36: *(u32 *)(r6 + 52) = r1
                37: r1 >>= 32
                38: *(u32 *)(r6 + 56) = r1
                39: *(u32 *)(r6 + 60) = r5
            ; base of the counters in np_rule_hits
                40: w1 = 0 ; filled in by the loader
                41: *(u32 *)(r6 + 64) = r1
                42: r0 = 0
                43: exit

            """
        #expect(text == expected)
    }

    @Test("three tiers with a pass, an L7 rule and a baseline deny, nothing isolated")
    func tiers() throws {
        let text = try PolicyEmitter.emit(PolicyExamples.tiers).disassembly
        let expected = """
                 0: r6 = r1
            ; rule bits of the remote's identity
                 1: r1 = *(u32 *)(r6 + 52)
                 2: *(u32 *)(r10 - 4) = r1
                 3: r2 = r10
                 4: r2 += -4
                 5: r1 = map[peers]
                 7: call map_lookup_elem
                 8: if r0 == 0 goto 31
            ; a remote that rules name
                 9: r2 = *(u32 *)(r6 + 56)
            ; UDP/53 and up, or below?
                10: if w2 >= 1114165 goto 13
            ; UDP/0 and up, or below?
                11: if w2 < 1114112 goto 26
                12: goto 23
            ; UDP/54 and up, or below?
                13: if w2 >= 1114166 goto 22
            ; rule 0 pass ClusterNetworkPolicy shop/a (shop.yaml:1:5)
                14: r1 = *(u64 *)(r0 + 0)
                15: r1 &= 1
                16: if r1 == 0 goto 34
            ; rule 2 allow L7 CiliumNetworkPolicy shop/c spec.egress[0] (shop.yaml:3:5)
                17: r5 = 3
                18: r1 = *(u64 *)(r0 + 0)
                19: r1 &= 4
                20: if r1 != 0 goto 42
                21: goto 26
            ; proto-18/0 and up, or below?
                22: if w2 >= 1179648 goto 26
            ; rule 0 pass ClusterNetworkPolicy shop/a (shop.yaml:1:5)
                23: r1 = *(u64 *)(r0 + 0)
                24: r1 &= 1
                25: if r1 == 0 goto 34
            ; rule 3 deny ClusterNetworkPolicy shop/d (shop.yaml:4:5)
                26: r5 = 2
                27: r1 = *(u64 *)(r0 + 0)
                28: r1 &= 8
                29: if r1 != 0 goto 39
                30: goto 37
            ; any other remote
                31: r2 = *(u32 *)(r6 + 56)
            ; UDP/0 and up, or below?
                32: if w2 < 1114112 goto 37
            ; proto-18/0 and up, or below?
                33: if w2 >= 1179648 goto 37
            ; rule 1 deny ClusterNetworkPolicy shop/b (shop.yaml:2:5)
                34: r5 = 2
                35: r1 = 2
                36: goto 39
            ; default allow
                37: r5 = 33554433
                38: r1 = 0
            ; answer with the lowest matching bit: the first rule of its group
                39: r2 = r1
                40: r2 = -r2
                41: r1 &= r2
            ; with L7 conditions: all that match
                42: *(u32 *)(r6 + 52) = r1
                43: r1 >>= 32
                44: *(u32 *)(r6 + 56) = r1
                45: *(u32 *)(r6 + 60) = r5
            ; base of the counters in np_rule_hits
                46: w1 = 0 ; filled in by the loader
                47: *(u32 *)(r6 + 64) = r1
                48: r0 = 0
                49: exit

            """
        #expect(text == expected)
    }

    @Test("the stub of a pod's egress hook")
    func stub() throws {
        let text = try Disassembler.text(EntryStub.program(slot: 7, direction: .egress))
        let expected = """
            ; endpoint 7, egress
                 0: w2 = -2147483641
                 1: *(u32 *)(r1 + 48) = r2
                 2: r2 = 0
                 3: *(u32 *)(r1 + 60) = r2
                 4: *(u32 *)(r1 + 64) = r2
                 5: r2 = map[np_steps]
                 7: r3 = 1
                 8: call tail_call
            ; no such step: drop
                 9: r0 = 2
                10: exit

            """
        #expect(text == expected)
    }
}
