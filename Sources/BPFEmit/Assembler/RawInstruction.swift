/// One slot (`struct bpf_insn`) as its fields.
struct RawInstruction: Hashable {
    var opcode: UInt8
    var destination: UInt8
    var source: UInt8
    var offset: Int16
    var immediate: Int32

    init(_ opcode: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
        self.opcode = opcode
        self.destination = destination
        self.source = source
        self.offset = offset
        self.immediate = immediate
    }

    /// Takes apart opcode | destination << 8 | source << 12 | offset << 16 | immediate << 32.
    init(word: UInt64) {
        opcode = UInt8(truncatingIfNeeded: word)
        destination = UInt8(truncatingIfNeeded: word >> 8) & 0xf
        source = UInt8(truncatingIfNeeded: word >> 12) & 0xf
        offset = Int16(truncatingIfNeeded: word >> 16)
        immediate = Int32(truncatingIfNeeded: word >> 32)
    }

    /// The slot as a word.
    var word: UInt64 {
        UInt64(opcode) | UInt64(destination) << 8 | UInt64(source) << 12
            | UInt64(UInt16(bitPattern: offset)) << 16 | UInt64(UInt32(bitPattern: immediate)) << 32
    }
}
