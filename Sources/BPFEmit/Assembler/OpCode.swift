/// The fields of the opcode byte of `struct bpf_insn`:
///
///     arithmetic, jumps    | operation 4 | source 1 | class 3 |
///     loads, stores        | mode 3 | size 2        | class 3 |
enum OpCode {
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
