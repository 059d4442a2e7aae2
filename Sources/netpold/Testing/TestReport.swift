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
        let alike: Int
        let reason: [String]
    }

    let passed: Int
    let failed: Int
    let folders: [Folder]

    /// A report of outcomes.
    init(_ outcomes: [TestOutcome]) {
        failed = outcomes.count { !$0.passed }
        passed = outcomes.count - failed
        folders = outcomes.map(TestReport.folder)
    }

    private static func folder(_ outcome: TestOutcome) -> Folder {
        switch outcome.content {
        case .unusable:
            Folder(
                name: outcome.name, passed: false, flows: 0, requestsNotAsked: 0, failures: [], errors: outcome.messages
            )
        case .decided(let result):
            Folder(
                name: outcome.name, passed: result.passed, flows: result.flows,
                requestsNotAsked: result.requestsNotAsked,
                failures: result.failures.map {
                    Failure(
                        flow: $0.written ?? "\($0.flow)", request: $0.request.map { "\($0)" }, place: "\($0.location)",
                        kind: "\($0.kind)", expected: $0.expected,
                        actual: $0.actual, alike: $0.alike, reason: $0.reason)
                }, errors: [])
        }
    }
}
