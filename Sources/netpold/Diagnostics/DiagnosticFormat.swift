import ArgumentParser

/// The format of diagnostics.
enum DiagnosticFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people: with excerpts on a terminal, else one line each.
    case text
    /// One object for other programs (`DiagnosticReport`).
    case json
    /// SARIF 2.1.0, for code hosts and editors.
    case sarif
}
