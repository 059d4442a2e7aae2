import BPFEmit

extension Condition {
    /// What is to be known of host policies after an apply.
    static func host(_ report: HostReport) -> [Condition] {
        let missing = report.problems.map { problem in
            Condition(
                kind: .hostUnenforced, subject: "host",
                message: "\(problem): host policies are not asked about what comes and goes there")
        }
        switch report.confirmation {
        case .settled: return missing
        case .pending(let mode, let former, _):
            return missing + [
                Condition(
                    kind: .hostUnconfirmed, subject: "host",
                    message: "host policies: \(mode.rawValue) goes back to \(former.rawValue) unless somebody runs "
                        + "`netpold host confirm` in time")
            ]
        case .expired(let mode, let former):
            return missing + [
                Condition(
                    kind: .hostGivenUp, subject: "host",
                    message: "host policies: nobody has confirmed \(mode.rawValue), so \(former.rawValue) is in force; "
                        + "`netpold host retry` tries again")
            ]
        }
    }
}
