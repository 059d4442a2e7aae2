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

    /// `passes`: whether the flow passes; `nil` where it depends.
    func render(_ lines: [ExplanationLine], passes: Bool?) -> String {
        lines.flatMap { line in [text(line, passes)] + excerpt(line) }.joined(separator: "\n")
    }

    private func text(_ line: ExplanationLine, _ isGood: Bool?) -> String {
        switch line.role {
        case .verdict: isGood.map { $0 ? style.good(line.text) : style.bad(line.text) } ?? style.notable(line.text)
        case .side: style.strong(line.text)
        case .reason: style.faint(line.text)
        case .rule: line.text
        case .failure: style.notable(line.text)
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
