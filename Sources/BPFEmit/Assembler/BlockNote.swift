/// What a run of instructions is for. Kept beside the code as data, so that compiling builds no text; `PolicyImage.disassembly`
/// puts it into words.
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
    /// Answers without a rule.
    case fallback(decision: PolicyDecision, verdict: PolicyVerdict)
}
