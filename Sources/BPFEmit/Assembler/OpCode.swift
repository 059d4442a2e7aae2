/// The fields of `struct bpf_insn`, and of its opcode byte:
///
///     arithmetic, jumps    | operation 4 | source 1 | class 3 |
///     loads, stores        | mode 3 | size 2        | class 3 |
enum OpCode {
    static let loadClass: UInt8 = 0x00
    static let loadRegisterClass: UInt8 = 0x01
    static let storeClass: UInt8 = 0x02
    static let storeRegisterClass: UInt8 = 0x03
    static let arithmetic32Class: UInt8 = 0x04
    static let jump64Class: UInt8 = 0x05
    static let jump32Class: UInt8 = 0x06
    static let arithmetic64Class: UInt8 = 0x07
    static let classMask: UInt8 = 0x07

    static let fromRegister: UInt8 = 0x08
    static let operationMask: UInt8 = 0xf0
    static let sizeMask: UInt8 = 0x18
    static let modeMask: UInt8 = 0xe0
    static let memoryMode: UInt8 = 0x60

    static let negate: UInt8 = 0x80
    static let jump: UInt8 = 0x05
    static let call: UInt8 = 0x85
    static let exit: UInt8 = 0x95
    static let loadConstant: UInt8 = 0x18
    /// Source register field of a `loadConstant` whose immediate is a map's file descriptor (`BPF_PSEUDO_MAP_FD`).
    static let pseudoMapDescriptor: UInt8 = 1
}

/// One slot taken apart.
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
