import Agent
import PolicyAnalysis
import Support

/// An explanation for people.
struct ExplanationText {
    let style: TextStyle
    /// Whether rules that decide are shown as written, below their place.
    let showsRules: Bool
    /// What standard input held, for rules that came from there.
    let standardInput: [UInt8]?

    func render(_ explanation: DecisionExplanation) -> String {
        explanation.lines.flatMap { line in [text(line, explanation)] + excerpt(line) }.joined(separator: "\n")
    }

    private func text(_ line: ExplanationLine, _ explanation: DecisionExplanation) -> String {
        switch line.role {
        case .verdict: verdict(line.text, explanation)
        case .side: style.strong(line.text)
        case .reason: style.faint(line.text)
        case .rule: line.text
        case .failure: style.notable(line.text)
        }
    }

    private func verdict(_ text: String, _ explanation: DecisionExplanation) -> String {
        if let request = explanation.request { return request.isPermitted ? style.good(text) : style.bad(text) }
        return switch explanation.verdict {
        case .allow: style.good(text)
        case .deny: style.bad(text)
        case .l7: style.notable(text)
        }
    }

    /// Files may have changed or gone since they were read: what is shown is a help, not a promise.
    private func excerpt(_ line: ExplanationLine) -> [String] {
        guard showsRules, let place = line.excerpt, place.line > 0 else { return [] }
        let bytes = place.file == "-" ? standardInput : ManifestFiles.readAgain(place.file)
        guard let bytes else { return [] }
        let indent = String(repeating: " ", count: line.text.prefix { $0 == " " }.count + 2)
        return SourceText(bytes).excerpt(at: place).map { style.faint("\(indent)\($0.number) | \($0.text)") }
    }
}
