import Foundation

/// Test results as JSON.
struct TestReport: Encodable {
    struct Folder: Encodable {
        let name: String
        let passed: Bool
        let flows: Int
        let requestsNotAsked: Int
        let failures: [Failure]
        let errors: [String]
    }

    struct Failure: Encodable {
        let flow: String
        let request: String?
        let place: String
        let kind: String
        let expected: String
        let actual: String
        let reason: [String]
    }

    let passed: Int
    let failed: Int
    let folders: [Folder]

    /// The report as indented JSON with sorted keys.
    static func json(_ outcomes: [TestOutcome]) throws -> String {
        let failed = outcomes.count { !$0.passed }
        let report = TestReport(passed: outcomes.count - failed, failed: failed, folders: outcomes.map(folder))
        return try JSONText.render(report)
    }

    private static func folder(_ outcome: TestOutcome) -> Folder {
        switch outcome.content {
        case .unusable(let messages):
            Folder(name: outcome.name, passed: false, flows: 0, requestsNotAsked: 0, failures: [], errors: messages)
        case .decided(let result):
            Folder(
                name: outcome.name, passed: result.passed, flows: result.flows,
                requestsNotAsked: result.requestsNotAsked,
                failures: result.failures.map {
                    Failure(
                        flow: "\($0.flow)", request: $0.request.map { "\($0)" }, place: "\($0.location)",
                        kind: "\($0.kind)", expected: $0.expected,
                        actual: $0.actual, reason: $0.reason)
                }, errors: [])
        }
    }
}
