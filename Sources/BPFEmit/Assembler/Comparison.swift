/// The condition of a conditional jump. The raw value is the opcode's operation field.
public enum Comparison: UInt8, Hashable, CaseIterable, Sendable {
    /// left == right
    case equal = 0x10
    /// left > right, unsigned
    case above = 0x20
    /// left >= right, unsigned
    case atLeast = 0x30
    /// left & right is not 0
    case anyBitOf = 0x40
    /// left != right
    case notEqual = 0x50
    /// left > right, signed
    case aboveSigned = 0x60
    /// left >= right, signed
    case atLeastSigned = 0x70
    /// left < right, unsigned
    case below = 0xa0
    /// left <= right, unsigned
    case atMost = 0xb0
    /// left < right, signed
    case belowSigned = 0xc0
    /// left <= right, signed
    case atMostSigned = 0xd0

    /// The operator as disassemblers write it.
    var symbol: String {
        switch self {
        case .equal: "=="
        case .above: ">"
        case .atLeast: ">="
        case .anyBitOf: "&"
        case .notEqual: "!="
        case .aboveSigned: "s>"
        case .atLeastSigned: "s>="
        case .below: "<"
        case .atMost: "<="
        case .belowSigned: "s<"
        case .atMostSigned: "s<="
        }
    }
}
