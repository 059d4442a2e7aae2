/// Renders findings as text, one a line, in the order of files and lines.
public struct DiagnosticRenderer: Sendable {
    /// A renderer.
    public init() {}

    /// `file:line:col: error: path: what is wrong; how to mend it`. Parts that a finding does not have are left out.
    public func render(_ diagnostic: Diagnostic) -> String {
        var text = ""
        if let location = diagnostic.location { text += "\(location): " }
        text += "\(diagnostic.severity.rawValue): "
        if !diagnostic.path.isEmpty { text += "\(diagnostic.path): " }
        text += diagnostic.message
        if !diagnostic.hint.isEmpty { text += "; \(diagnostic.hint)" }
        return DiagnosticRenderer.printable(text)
    }

    /// All findings, sorted, each once, each ending in a newline.
    public func render(_ diagnostics: [Diagnostic]) -> String {
        var last: Diagnostic?
        var text = ""
        for diagnostic in diagnostics.sorted() where diagnostic != last {
            text += render(diagnostic) + "\n"
            last = diagnostic
        }
        return text
    }

    /// Manifests are not trusted: control characters in quoted values must not reach a terminal.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
