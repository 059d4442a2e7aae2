import PolicyIR

/// An explanation for people.
enum ExplanationText {
    static func render(_ explanation: DecisionExplanation, _ style: TextStyle) -> String {
        var lines = [style.strong("\(explanation.flow)") + ": " + verdict(explanation.verdict, style)]
        for side in [explanation.egress, explanation.ingress] {
            lines += side.lines.enumerated().map { $0 == 0 ? $1 : style.faint($1) }
        }
        return lines.joined(separator: "\n")
    }

    private static func verdict(_ verdict: SideDecision.Verdict, _ style: TextStyle) -> String {
        switch verdict {
        case .allow: style.good("allowed")
        case .deny: style.bad("denied")
        case .l7: style.notable("connection allowed to the proxy, requests decided one by one")
        }
    }
}
