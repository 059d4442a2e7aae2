import PolicyAPI
import PolicyAnalysis
import Support

/// The outcome of one test folder.
struct TestOutcome {
    /// What happened.
    enum Content {
        /// The flows were decided.
        case decided(PolicyTestResult)
        /// The test or its manifests have errors, or there is no test.
        case unusable(LoadedTest.Unusable)
    }

    /// The folder.
    let name: String
    /// What happened.
    let content: Content

    /// A test that is not run because of its file's name or place.
    init(passedOver file: String) {
        name = file
        content = .unusable(
            LoadedTest.Unusable([
                Diagnostic(
                    id: .unreadable, location: .whole(file),
                    message:
                        "this PolicyTest is not run: its file is not called test.yaml, or is inside another test's folder",
                    hint: "call it test.yaml, in a folder of its own, or name the file itself")
            ]))
    }

    /// A path of which no test can be run.
    init(missing: Diagnostic) {
        name = missing.location?.file ?? ""
        content = .unusable(LoadedTest.Unusable([missing]))
    }

    init(name: String, content: Content) {
        self.name = name
        self.content = content
    }

    var passed: Bool {
        if case .decided(let result) = content { result.passed } else { false }
    }

    /// How many requests met L7 rules that were not asked.
    var requestsNotAsked: Int {
        if case .decided(let result) = content { result.requestsNotAsked } else { 0 }
    }

    /// Whether the test itself is wrong: it cannot be run, or a case names something that does not exist.
    var isUnusable: Bool {
        switch content {
        case .unusable: true
        case .decided(let result): result.isMistaken
        }
    }

    /// What is wrong with its files, and with cases that name what there is not.
    var diagnostics: [Diagnostic] {
        switch content {
        case .unusable(let why): why.diagnostics
        case .decided(let result):
            result.failures.filter { $0.kind == .unknown }.map {
                Diagnostic(id: .invalidValue, location: $0.location, message: $0.difference, hint: "")
            }
        }
    }

    /// One line.
    var summary: String {
        switch content {
        case .unusable: return "cannot be run"
        case .decided(let result):
            return "\(result.differing) of \(result.flows) flows differ"
        }
    }

    /// The failures, at most `limit` of them. What is written in tests and manifests is made printable.
    func lines(limit: Int) -> [String] {
        switch content {
        case .unusable(let why): return why.messages
        case .decided(let result):
            var lines: [String] = []
            for failure in result.failures.prefix(limit) { lines += TestOutcome.lines(failure) }
            if result.failures.count > limit { lines.append("... and \(result.failures.count - limit) more") }
            return lines
        }
    }

    /// A failure: what was expected, what was answered, and why.
    static func lines(_ failure: PolicyTestFailure) -> [String] {
        let request = failure.request.map { " \($0)" } ?? ""
        let lines =
            ["\(failure.location): \(failure.written ?? "\(failure.flow)")\(request): \(failure.difference)"]
            + failure.reason.map { "    \($0)" }
        return lines.map(PrintableName.of)
    }
}
