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
            let change =
                former == mode
                ? "a change of them goes back to those before" : "\(mode.rawValue) goes back to \(former.rawValue)"
            return missing + [
                Condition(
                    kind: .hostUnconfirmed, subject: "host",
                    message: "host policies: \(change) unless somebody runs `netpold host confirm` in time")
            ]
        case .expired(let mode, let former):
            let change =
                former == mode
                ? "the change of them, so those before are" : "\(mode.rawValue), so \(former.rawValue) is"
            return missing + [
                Condition(
                    kind: .hostGivenUp, subject: "host",
                    message: "host policies: nobody has confirmed \(change) in force; `netpold host retry` tries again")
            ]
        }
    }
}
