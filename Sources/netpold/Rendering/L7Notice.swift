import NetTypes
import PolicyAnalysis
import PolicyIR

/// What is said where a result rests on L7 rules: that something else than the agent decides it.
enum L7Notice {
    /// One line, for standard error.
    static let text =
        "note: requests are decided where `netpold proxy` runs beside the agent (--l7-proxy); elsewhere they are dropped (l7 unavailable)\n"

    /// The same of a node on which none runs.
    static let missing =
        "no `netpold proxy` serves on the node: such requests are dropped (l7 unavailable) until one does"
}

extension LoweredPolicy {
    /// Whether a rule has conditions that the kernel does not decide.
    var needsProxy: Bool {
        Direction.allCases.contains { direction in
            self[direction]?.rules.contains { rule in
                [L4Protocol.tcp, .udp].contains { rule.traffic.mayMatch($0) && rule.l7?.needsProxy(over: $0) == true }
            } == true
        }
    }
}

extension TrafficMatch {
    /// Whether packets of a protocol may match.
    fileprivate func mayMatch(_ protocol: L4Protocol) -> Bool {
        guard case .anyOf(let clauses) = self else { return true }
        return clauses.contains { clause in
            switch clause {
            case .ports(let wanted, _), .named(let wanted, _): wanted == `protocol`
            }
        }
    }
}
