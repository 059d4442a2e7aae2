/// How many bytes a load or store moves. The raw value is the opcode's size field.
public enum AccessSize: UInt8, Hashable, CaseIterable, Sendable {
    /// 4 bytes.
    case word = 0x00
    /// 2 bytes.
    case half = 0x08
    /// 1 byte.
    case byte = 0x10
    /// 8 bytes.
    case double = 0x18

    /// Bytes moved.
    public var bytes: Int {
        switch self {
        case .byte: 1
        case .half: 2
        case .word: 4
        case .double: 8
        }
    }
}

extension AccessSize: CustomStringConvertible {
    /// `u8` to `u64`.
    public var description: String { "u\(bytes * 8)" }
}
