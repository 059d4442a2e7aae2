internal import PolicyIR

/// The elements of `rules.dns` of one rule. There may be as many as the kernel's automaton has no room for, so a query does not ask each.
struct CompiledNames: Sendable {
    private let rules: [CompiledNameRule]
    private let index: NamePatternIndex

    /// Elements in the order in which they are written.
    init(_ rules: [CompiledNameRule]) {
        self.rules = rules
        index = NamePatternIndex(rules.map(\.pattern))
    }

    /// The first that allows a query for a name, written as `QueryName` does; `nil`: none does.
    func first(forQuery name: String) -> CompiledNameRule? { index.matches(of: name).first.map { rules[$0] } }
}
