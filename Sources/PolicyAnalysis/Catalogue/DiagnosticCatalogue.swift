public import PolicyAPI

/// The catalogue of all kinds of diagnostics.
public enum DiagnosticCatalogue {
    /// Every kind, once: about documents, about fields, then those of `netpold lint`.
    public static let entries: [DiagnosticEntry] = documents + fields + Linter.checks.map { $0.entry }

    /// The entry of a kind; `nil` only for one that is missing, which a test rules out.
    public static func entry(_ id: DiagnosticID) -> DiagnosticEntry? { entries.first { $0.id == id } }
}
