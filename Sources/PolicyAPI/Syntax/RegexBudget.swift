/// The size limit of all patterns of one object. Objects are untrusted, and a short pattern such as `(\pL{9}){9}` compiles to
/// a long program: without a total limit, a megabyte of them would exhaust a proxy's memory.
struct RegexBudget {
    /// Instructions (16 bytes each) of all patterns of an object.
    static let instructions = 250_000
    /// The minimum cost of a pattern: matching it caches states too.
    static let least = 250

    private var left = RegexBudget.instructions
    private var known: Set<String> = []

    /// Why a pattern is refused.
    enum Problem: Error {
        /// The pattern itself is invalid.
        case pattern(RegexPattern.Problem)
        /// The budget of the object is exhausted.
        case exhausted
    }

    /// Checks a pattern and deducts its cost; the same text again costs nothing. Once the budget is exhausted, which refuses
    /// the object, nothing more is compiled.
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
