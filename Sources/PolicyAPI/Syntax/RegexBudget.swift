/// What the patterns of one object may need together. Objects come from anybody, and a short pattern such as `(\pL{9}){9}` makes a
/// long program: without a sum, a megabyte of them would take a proxy's memory.
struct RegexBudget {
    /// Instructions of an object's patterns, of 16 bytes each.
    static let instructions = 250_000
    /// What a small pattern counts: matching it caches states too.
    static let least = 250

    private var left = RegexBudget.instructions
    private var known: Set<String> = []

    /// Why a pattern is refused.
    enum Problem: Error {
        /// It alone is wrong.
        case pattern(RegexPattern.Problem)
        /// It is one too many in its object.
        case exhausted
    }

    /// Checks a pattern and takes what it needs; the same text again costs nothing. Once the sum is exceeded, which refuses the object,
    /// nothing more is compiled.
    mutating func check(_ text: String) throws(Problem) {
        guard left >= 0, !known.contains(text) else { return }
        let pattern: RegexPattern
        do {
            pattern = try RegexPattern(text)
        } catch {
            throw .pattern(error)
        }
        left -= max(pattern.instructions, RegexBudget.least)
        guard left >= 0 else { throw .exhausted }
        known.insert(text)
    }
}
