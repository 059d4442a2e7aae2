import BPFEmit

/// Hand-assembled programs, so that the loader's tests need no emitter.
enum AssembledProgram {
    static func instruction(
        _ opcode: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
    ) -> UInt64 {
        UInt64(opcode) | UInt64(source << 4 | destination) << 8 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(UInt32(bitPattern: immediate)) << 32
    }

    static let exit = instruction(0x95)

    /// `return value`.
    static func returning(_ value: Int32) -> EncodedProgram {
        EncodedProgram(instructions: [instruction(0xb7, immediate: value), exit], mapReferences: [])
    }

    /// Counts in cb[0] and returns 0.
    static var counting: EncodedProgram {
        EncodedProgram(
            instructions: [
                // r0 = skb->cb[0]; r0 += 1; skb->cb[0] = r0; return 0
                instruction(0x61, destination: 0, source: 1, offset: 48),
                instruction(0x07, destination: 0, immediate: 1),
                instruction(0x63, destination: 1, source: 0, offset: 48),
                instruction(0xb7), exit,
            ], mapReferences: [])
    }

    /// Reads a register that nothing was written to.
    static var readingUninitialised: EncodedProgram {
        EncodedProgram(instructions: [instruction(0xbf, destination: 0, source: 7), exit], mapReferences: [])
    }

    /// `peers[id of cb[1]]`: 1 when the entry is there, else 0.
    static var askingPeers: EncodedProgram {
        EncodedProgram(
            instructions: [
                // r2 = skb->cb[1]; *(u32 *)(fp - 4) = r2; r2 = fp - 4; r1 = peers ll; call map_lookup_elem
                instruction(0x61, destination: 2, source: 1, offset: 52),
                instruction(0x63, destination: 10, source: 2, offset: -4),
                instruction(0xbf, destination: 2, source: 10),
                instruction(0x07, destination: 2, immediate: -4),
                instruction(0x18, destination: 1), instruction(0),
                instruction(0x85, immediate: 1),
                // if r0 == 0 goto +1; r0 = 1; exit
                instruction(0x15, destination: 0, offset: 1),
                instruction(0xb7, immediate: 1),
                exit,
            ], mapReferences: [.init(slot: 4, map: .peers)])
    }

    /// Counts in the first word of `peers[0]`, runs for about 100 us, and counts in the second.
    static var slow: EncodedProgram {
        EncodedProgram(
            instructions: [
                // *(u32 *)(fp - 4) = 0; r2 = fp - 4; r1 = peers ll; call map_lookup_elem
                instruction(0x62, destination: 10, offset: -4),
                instruction(0xbf, destination: 2, source: 10),
                instruction(0x07, destination: 2, immediate: -4),
                instruction(0x18, destination: 1), instruction(0),
                instruction(0x85, immediate: 1),
                // if r0 == 0 goto exit
                instruction(0x15, destination: 0, offset: 9),
                // r1 = *(u64 *)(r0 + 0); r1 += 1; *(u64 *)(r0 + 0) = r1
                instruction(0x79, destination: 1, source: 0),
                instruction(0x07, destination: 1, immediate: 1),
                instruction(0x7b, destination: 0, source: 1),
                // r7 = 0; do { r7 += 1 } while (r7 < 150000)
                instruction(0xb7, destination: 7),
                instruction(0x07, destination: 7, immediate: 1),
                instruction(0xa5, destination: 7, offset: -2, immediate: 150_000),
                // r1 = *(u64 *)(r0 + 8); r1 += 1; *(u64 *)(r0 + 8) = r1
                instruction(0x79, destination: 1, source: 0, offset: 8),
                instruction(0x07, destination: 1, immediate: 1),
                instruction(0x7b, destination: 0, source: 1, offset: 8),
                instruction(0xb7), exit,
            ], mapReferences: [.init(slot: 3, map: .peers)])
    }
}
