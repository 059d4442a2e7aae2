public import PolicyAPI
internal import PolicyIR

/// One element of `rules.dns`, compiled.
public struct CompiledNameRule: Sendable {
    /// Where it is written.
    public let origin: RuleOrigin
    /// `origin` as logs write it, made once.
    public let text: String
    let pattern: NamePattern

    /// Compiles an element.
    public init(_ selector: FQDNSelector, origin: RuleOrigin) {
        self.origin = origin
        text = "\(origin)"
        pattern = NamePattern(selector, for: .queries)
    }
}
