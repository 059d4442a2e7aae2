public import PolicyAPI

/// The documentation of a kind of diagnostic: the text of `netpold lint --explain`, of the reference page and of SARIF.
public struct DiagnosticEntry: Sendable {
    /// The kind.
    public var id: DiagnosticID
    /// Its severity; the highest one, for kinds whose severity depends on the context.
    public var severity: Diagnostic.Severity
    /// What it is, in one line, without a final period.
    public var title: String
    /// Why it matters, in sentences.
    public var reason: String
    /// How to fix it, in sentences.
    public var fix: String
    /// Manifests that produce it; `nil` where no manifest does.
    public var bad: String?
    /// The same, fixed: they produce no diagnostic.
    public var good: String?

    /// An entry.
    public init(
        _ id: DiagnosticID, _ severity: Diagnostic.Severity, title: String, reason: String, fix: String,
        bad: String? = nil, good: String? = nil
    ) {
        self.id = id
        self.severity = severity
        self.title = title
        self.reason = reason
        self.fix = fix
        self.bad = bad
        self.good = good
    }
}
