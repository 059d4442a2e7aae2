public import PolicyAPI

/// What there is to know about a kind of finding: the text of `netpold lint --explain`, of the reference page and of SARIF.
public struct DiagnosticEntry: Sendable {
    /// The kind.
    public var id: DiagnosticID
    /// How bad it is; the worst it can be, for kinds that depend on where they are found.
    public var severity: Diagnostic.Severity
    /// What it is, in one line, without final dot.
    public var title: String
    /// Why it matters, in sentences.
    public var reason: String
    /// What to do, in sentences.
    public var fix: String
    /// Manifests that are found guilty; `nil` for what no manifest shows.
    public var bad: String?
    /// The same mended: nothing is found in them.
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
