import PolicyIR

/// What came of one test folder.
struct TestOutcome {
    /// What happened.
    enum Content {
        /// The flows were decided.
        case decided(PolicyTestResult)
        /// The test or its manifests have errors, or the decider could not be set up.
        case unusable([String])
    }

    /// The folder.
    let name: String
    /// What happened.
    let content: Content

    var passed: Bool {
        if case .decided(let result) = content { result.passed } else { false }
    }

    var isUnusable: Bool {
        if case .unusable = content { true } else { false }
    }

    /// One line.
    var summary: String {
        switch content {
        case .unusable: return "cannot be run"
        case .decided(let result):
            let needHTTP = result.failures.count { $0.kind == .needsHTTP }
            let http = needHTTP == 0 ? "" : ", \(needHTTP) of them because HTTP requests are not decided yet"
            return "\(result.failures.count) of \(result.flows) flows differ\(http)"
        }
    }

    /// The failures, at most `limit` of them.
    func lines(limit: Int) -> [String] {
        switch content {
        case .unusable(let messages): return messages
        case .decided(let result):
            var lines: [String] = []
            for failure in result.failures.prefix(limit) {
                lines.append(
                    "\(failure.location): \(failure.flow): expected \(failure.expected), got \(failure.actual)")
                lines += failure.reason.map { "    \($0)" }
            }
            if result.failures.count > limit { lines.append("... and \(result.failures.count - limit) more") }
            return lines
        }
    }
}
