import NetTypes

/// What a run of instructions is for. Kept beside the code as data, so that compiling builds no text; `Disassembler` puts it
/// into words.
public enum BlockNote: Hashable, Sendable {
    /// Any remark.
    case remark(String)
    /// A step of the port tree: keys (protocol << 16 | port) from this one on go one way, those below the other.
    case split(from: UInt32)
    /// Asks whether one of these bits of a word matches; if so the program answers with it.
    case test(word: Int, bits: UInt64, verdict: PolicyVerdict)
    /// Asks whether the remote is the local node.
    case host(word: Int, bits: UInt64)
    /// Asks whether one of these pass bits of a word matches; if so the rest of the tier is skipped.
    case pass(word: Int, bits: UInt64)
    /// Asks whether one of these DNS bits of a word matches; if so what a plain rule allows is read as well.
    case read(word: Int, bits: UInt64)
    /// A column of names carries these bits of a word.
    case column(number: Int, word: Int, bits: UInt64)
    /// Answers without a rule.
    case fallback(decision: PolicyDecision, verdict: PolicyVerdict)
}

extension BlockNote {
    /// The note in words, one line per rule; `rule` names the rule bit of a number.
    func lines(naming rule: (Int) -> String) -> [String] {
        func rules(_ word: Int, _ mask: UInt64) -> [String] {
            (0..<64).filter { mask >> UInt64($0) & 1 == 1 }.map { rule(word * 64 + $0) }
        }
        switch self {
        case .remark(let text): return [text]
        case .split(let from):
            let (`protocol`, port) = ControlBlock.unpackTraffic(from)
            return ["\(`protocol`)/\(port) and up, or below?"]
        case .test(let word, let mask, _), .pass(let word, let mask): return rules(word, mask)
        case .read(let word, let mask): return ["beside what allows it, is it read for"] + rules(word, mask)
        case .column(let number, let word, let mask): return ["column \(number) of names"] + rules(word, mask)
        case .host: return ["the local node reaches its pods"]
        case .fallback(let decision, let verdict):
            switch decision {
            case .host: return ["allow: the local node"]
            case .rule, .defaultDeny, .defaultAllow: return ["default \(verdict)"]
            }
        }
    }
}
