import Foundation
import PolicyAnalysis

/// Test results as JSON.
struct TestReport: Encodable {
    struct Folder: Encodable {
        let name: String
        let passed: Bool
        /// Whether it cannot be run, or a case names what there is not.
        let isUnusable: Bool
        let flows: Int
        let requestsNotAsked: Int
        let failures: [Failure]
        let errors: [DiagnosticReport.Entry]
    }

    struct Failure: Encodable {
        let flow: String
        let request: String?
        let place: String
        let file: String
        let line: Int
        let column: Int
        let kind: String
        let expected: String
        let actual: String
        let alike: Int
        let reason: [String]
    }

    /// Version of this shape.
    let version = 1
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
                name: outcome.name, passed: false, isUnusable: true, flows: 0, requestsNotAsked: 0, failures: [],
                errors: outcome.diagnostics.map(DiagnosticReport.Entry.init))
        case .decided(let result):
            Folder(
                name: outcome.name, passed: result.passed, isUnusable: outcome.isUnusable, flows: result.flows,
                requestsNotAsked: result.requestsNotAsked,
                failures: result.failures.map {
                    Failure(
                        flow: $0.written ?? "\($0.flow)", request: $0.request.map { "\($0)" }, place: "\($0.location)",
                        file: $0.location.file, line: $0.location.line, column: $0.location.column,
                        kind: "\($0.kind)", expected: $0.expected,
                        actual: $0.actual, alike: $0.alike, reason: $0.reason)
                }, errors: outcome.diagnostics.map(DiagnosticReport.Entry.init))
        }
    }
}
