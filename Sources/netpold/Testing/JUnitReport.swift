import PolicyAnalysis

/// Test results in the XML that CI systems read: one `testsuite` for each folder, one `testcase` for each case and matrix of its test.
enum JUnitReport {
    static func render(_ results: [TestOutcome]) -> String {
        let suites = results.map { (name: $0.name, cases: cases($0)) }
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
        text += "<testsuites \(counts(suites.flatMap(\.cases)))>\n"
        for suite in suites {
            text += #"<testsuite name="\#(escape(suite.name))" \#(counts(suite.cases))>"# + "\n"
            for entry in suite.cases {
                text += #"  <testcase classname="\#(escape(suite.name))" name="\#(escape(entry.name))""#
                guard let first = entry.failures.first else {
                    text += "/>\n"
                    continue
                }
                let kind = entry.isError ? "error" : "failure"
                text += ">\n" + #"    <\#(kind) message="\#(escape(first))">"#
                text += escape(entry.failures.joined(separator: "\n"))
                text += "</\(kind)>\n  </testcase>\n"
            }
            text += "</testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    /// A case with what is wrong.
    private struct Case {
        let name: String
        var failures: [String] = []
        /// Whether it could not be decided because the test itself is wrong.
        var isError = false
    }

    private static func counts(_ cases: [Case]) -> String {
        let errors = cases.count(where: \.isError)
        let failures = cases.count { !$0.isError && !$0.failures.isEmpty }
        return #"tests="\#(cases.count)" failures="\#(failures)" errors="\#(errors)""#
    }

    /// The cases of a folder; a test that cannot be run is one.
    private static func cases(_ outcome: TestOutcome) -> [Case] {
        switch outcome.content {
        case .unusable(let why):
            return [
                Case(
                    name: "test.yaml", failures: why.messages.isEmpty ? [outcome.summary] : why.messages, isError: true)
            ]
        case .decided(let result):
            return result.cases.map { entry in
                let failures = result.failures.filter { $0.location == entry.location }
                return Case(
                    name: entry.name, failures: failures.flatMap(TestOutcome.lines),
                    isError: failures.contains { $0.kind == .unknown })
            }
        }
    }

    /// Text for element content and attributes. Characters that XML cannot hold become U+FFFD.
    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default:
                let isControl = scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff
                result.unicodeScalars.append(isControl ? "\u{fffd}" : scalar)
            }
        }
        return result
    }
}
