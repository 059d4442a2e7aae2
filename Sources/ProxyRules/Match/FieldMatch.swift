internal import PolicyAPI
internal import PolicyIR

/// A pattern of a rule, over bytes. Patterns without a sign that RE2 gives a meaning are compared as they stand.
enum FieldMatch: Sendable {
    case anything
    case literal([UInt8])
    case pattern(RegexPattern)
    case nothing

    init(_ field: HTTPMatcher.Field) {
        switch field {
        case .anything: self = .anything
        case .nothing: self = .nothing
        case .pattern(let pattern):
            let isPlain = pattern.text.utf8.allSatisfy { byte in
                byte < 0x80 && !"\\^$.|?*+()[]{}".utf8.contains(byte)
            }
            self = isPlain ? .literal(Array(pattern.text.utf8)) : .pattern(pattern)
        }
    }

    /// "Regexes must match the entire value" (docs/spec/cilium-network-policy.md 10.1).
    func accepts(_ value: Span<UInt8>) -> Bool {
        switch self {
        case .anything: return true
        case .nothing: return false
        case .pattern(let pattern): return pattern.matches(value)
        case .literal(let text):
            guard text.count == value.count else { return false }
            for index in text.indices where text[index] != value[index] { return false }
            return true
        }
    }
}
