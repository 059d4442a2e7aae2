import BPFEmit

extension ArithmeticOperation {
    /// What the machine computes, at the operands' width.
    func result<Word: FixedWidthInteger & UnsignedInteger>(_ left: Word, _ right: Word) -> Word {
        // Shift counts beyond the width are masked by the machine.
        let count = right & Word(Word.bitWidth - 1)
        return switch self {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .divide: right == 0 ? 0 : left / right
        case .or: left | right
        case .and: left & right
        case .shiftLeft: left << count
        case .shiftRight: left >> count
        case .modulo: right == 0 ? left : left % right
        case .xor: left ^ right
        case .move: right
        case .shiftRightSigned:
            // Fills with the sign: the complement of a negative number shifted with zeroes.
            left.leadingZeroBitCount == 0 ? ~(~left >> count) : left >> count
        }
    }
}

extension Comparison {
    /// What the machine decides, at the operands' width.
    func holds<Word: FixedWidthInteger & UnsignedInteger>(_ left: Word, _ right: Word) -> Bool {
        // Flipping the sign bit makes the unsigned order of the results the signed order of the operands.
        let sign: Word = 1 << Word(Word.bitWidth - 1)
        return switch self {
        case .equal: left == right
        case .above: left > right
        case .atLeast: left >= right
        case .anyBitOf: left & right != 0
        case .notEqual: left != right
        case .aboveSigned: left ^ sign > right ^ sign
        case .atLeastSigned: left ^ sign >= right ^ sign
        case .below: left < right
        case .atMost: left <= right
        case .belowSigned: left ^ sign < right ^ sign
        case .atMostSigned: left ^ sign <= right ^ sign
        }
    }
}
