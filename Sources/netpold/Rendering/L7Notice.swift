import NetTypes
import PolicyIR

/// What is said where a result rests on L7 rules: that something else than the agent decides it.
enum L7Notice {
    /// One line, for standard error.
    static let text =
        "note: requests are decided where `netpold proxy` runs beside the agent (--l7-proxy); elsewhere they are dropped (l7 unavailable)\n"
}

extension LoweredPolicy {
    /// Whether a rule has L7 conditions.
    var needsProxy: Bool {
        Direction.allCases.contains { self[$0]?.rules.contains { $0.l7 != nil } == true }
    }
}
