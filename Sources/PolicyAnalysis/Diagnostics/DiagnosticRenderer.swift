import Algorithms
public import PolicyAPI

/// Renders diagnostics as text, one per line, in the order of files and lines.
public struct DiagnosticRenderer: Sendable {
    private let showsIDs: Bool

    /// A renderer; with `showsIDs` each line ends with the id of the diagnostic in brackets.
    public init(showsIDs: Bool = false) { self.showsIDs = showsIDs }

    /// `file:line:col: error: path: what is wrong; how to fix it`. Parts that a diagnostic does not have are left out.
    public func render(_ diagnostic: Diagnostic) -> String {
        var text = ""
        if let location = diagnostic.location { text += "\(location): " }
        text += "\(diagnostic.severity.rawValue): "
        if !diagnostic.path.isEmpty { text += "\(diagnostic.path): " }
        text += diagnostic.message
        if !diagnostic.hint.isEmpty { text += "; \(diagnostic.hint)" }
        if showsIDs { text += " [\(diagnostic.id.rawValue)]" }
        return SafeText.printable(text)
    }

    /// All diagnostics, sorted, each once, each ending in a newline.
    public func render(_ diagnostics: [Diagnostic]) -> String {
        diagnostics.sortedOnce.map { render($0) + "\n" }.joined()
    }
}

extension [Diagnostic] {
    /// The diagnostics in order, each once.
    public var sortedOnce: [Diagnostic] { Array(sorted().uniqued()) }
}
