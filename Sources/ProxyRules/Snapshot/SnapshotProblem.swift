/// Why a file is not taken as a snapshot. The rules in force stay in force.
public enum SnapshotProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Larger than `RuleSnapshot.largest`.
    case tooLarge(Int)
    /// Not the JSON of a snapshot; the decoder's words.
    case form(String)
    /// Of another version.
    case version(Int)
    /// Two policies of one number, or two rules of one number in a policy.
    case twice(String)
    /// A pattern of this element cannot be compiled.
    case pattern(String)

    /// The message.
    public var description: String {
        switch self {
        case .tooLarge(let count): "the rules have \(count) bytes, at most \(RuleSnapshot.largest) are read"
        case .form(let words): "not a snapshot of HTTP rules: \(words)"
        case .version(let version): "a snapshot of version \(version); this proxy reads \(RuleSnapshot.currentVersion)"
        case .twice(let what): "\(what) is there twice"
        case .pattern(let words): words
        }
    }
}
