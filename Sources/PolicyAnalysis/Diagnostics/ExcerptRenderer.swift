public import PolicyAPI
public import Support

/// Renders diagnostics for a terminal: each with its source line and a mark under the value.
///
///     error[unknown-field]: spec.podSelctor: unknown field
///       --> policy.yaml:5:3
///        |
///      5 |   podSelctor: {}
///        |   ^~~~~~~~~~
///        = help: did you mean "podSelector"?
public struct ExcerptRenderer {
    private let style: TextStyle
    private let width: Int
    private let source: (String) -> SourceText?

    /// A renderer.
    ///
    /// - Parameters:
    ///   - style: colours.
    ///   - width: columns of the terminal.
    ///   - source: the text of a file by its name in locations; `nil` omits the excerpt. Called once for each run of
    ///     diagnostics of one file.
    public init(style: TextStyle, width: Int, source: @escaping (String) -> SourceText?) {
        self.style = style
        self.width = width
        self.source = source
    }

    /// All diagnostics, sorted, each once, an empty line after each.
    public func render(_ diagnostics: [Diagnostic]) -> String {
        var text = ""
        var open: (file: String, source: SourceText?)?
        for diagnostic in diagnostics.sortedOnce {
            if let location = diagnostic.location, location.line > 0, open?.file != location.file {
                open = (location.file, source(location.file))
            }
            let isOpen = open?.file == diagnostic.location?.file
            text += lines(diagnostic, isOpen ? open?.source : nil).joined(separator: "\n") + "\n\n"
        }
        return text
    }

    private func lines(_ diagnostic: Diagnostic, _ source: SourceText?) -> [String] {
        let path = diagnostic.path.isEmpty ? "" : "\(diagnostic.path): "
        let title = style.strong(SafeText.printable("\(path)\(diagnostic.message)"))
        var lines = ["\(head(diagnostic)): \(title)"]
        let number = diagnostic.location.map { $0.line > 0 ? String($0.line) : "" } ?? ""
        let gutter = String(repeating: " ", count: max(number.count, 2) + 1)
        let bar = style.faint("\(gutter)|")
        if let location = diagnostic.location {
            lines.append(style.faint("\(gutter.dropLast())-->") + " \(SafeText.printable("\(location)"))")
            if let part = source?.line(location.line, around: location.column) {
                let excerpt = SourceExcerpt(part.text, column: part.column, width: width - gutter.count - 2)
                let padding = String(repeating: " ", count: gutter.count - 1 - number.count)
                lines.append(bar)
                lines.append(style.faint("\(padding)\(number) |") + " \(excerpt.line)")
                lines.append("\(bar) " + colour(diagnostic.severity)(excerpt.mark))
            }
        }
        if !diagnostic.hint.isEmpty {
            lines.append(style.faint("\(gutter)=") + " help: \(SafeText.printable(diagnostic.hint))")
        }
        return lines
    }

    private func head(_ diagnostic: Diagnostic) -> String {
        colour(diagnostic.severity)(style.strong("\(diagnostic.severity.rawValue)[\(diagnostic.id.rawValue)]"))
    }

    private func colour(_ severity: Diagnostic.Severity) -> (String) -> String {
        switch severity {
        case .error: style.bad
        case .warning: style.notable
        case .note: style.additional
        }
    }
}
