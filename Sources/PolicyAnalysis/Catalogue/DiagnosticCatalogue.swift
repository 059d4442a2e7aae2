public import PolicyAPI

/// The one table of all kinds of findings.
public enum DiagnosticCatalogue {
    /// Every kind, once: of documents, of fields, then of `netpold lint`.
    public static let entries: [DiagnosticEntry] = documents + fields + Linter.checks.map { $0.entry }

    /// What there is to know about a kind; `nil` only for one that the table misses, which a test rules out.
    public static func entry(_ id: DiagnosticID) -> DiagnosticEntry? { entries.first { $0.id == id } }
}
