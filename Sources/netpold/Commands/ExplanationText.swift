import PolicyIR

/// An explanation for people.
enum ExplanationText {
    static func render(_ explanation: DecisionExplanation, _ style: TextStyle) -> String {
        explanation.lines.map { line in
            switch line.role {
            case .verdict: verdict(explanation.verdict, line.text, style)
            case .side: style.strong(line.text)
            case .reason: style.faint(line.text)
            case .rule: line.text
            case .failure: style.notable(line.text)
            }
        }.joined(separator: "\n")
    }

    private static func verdict(_ verdict: SideDecision.Verdict, _ text: String, _ style: TextStyle) -> String {
        switch verdict {
        case .allow: style.good(text)
        case .deny: style.bad(text)
        case .l7: style.notable(text)
        }
    }
}
