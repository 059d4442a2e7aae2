/// What an arithmetic instruction does to its destination. The raw value is the opcode's operation field.
public enum ArithmeticOperation: UInt8, Hashable, CaseIterable, Sendable {
    /// dst += src
    case add = 0x00
    /// dst -= src
    case subtract = 0x10
    /// dst *= src
    case multiply = 0x20
    /// dst /= src, unsigned; 0 when src is 0
    case divide = 0x30
    /// dst |= src
    case or = 0x40
    /// dst &= src
    case and = 0x50
    /// dst <<= src
    case shiftLeft = 0x60
    /// dst >>= src, filling with zeroes
    case shiftRight = 0x70
    /// dst %= src, unsigned; dst when src is 0
    case modulo = 0x90
    /// dst ^= src
    case xor = 0xa0
    /// dst = src
    case move = 0xb0
    /// dst >>= src, filling with the sign
    case shiftRightSigned = 0xc0

    /// The operator as disassemblers write it.
    var symbol: String {
        switch self {
        case .add: "+="
        case .subtract: "-="
        case .multiply: "*="
        case .divide: "/="
        case .or: "|="
        case .and: "&="
        case .shiftLeft: "<<="
        case .shiftRight: ">>="
        case .modulo: "%="
        case .xor: "^="
        case .move: "="
        case .shiftRightSigned: "s>>="
        }
    }
}
