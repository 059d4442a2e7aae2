import PolicyAnalysis

/// Test results in the XML that CI systems read: one `testsuite` for each folder, one `testcase` for each case and matrix of its test.
enum JUnitReport {
    static func render(_ results: [TestOutcome]) -> String {
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n<testsuites>\n"
        for result in results {
            let cases = JUnitReport.cases(result)
            let failed = cases.count { !$0.failures.isEmpty }
            text +=
                #"<testsuite name="\#(escape(result.name))" tests="\#(cases.count)" failures="\#(failed)">"# + "\n"
            for entry in cases {
                text += #"  <testcase classname="\#(escape(result.name))" name="\#(escape(entry.name))""#
                guard let first = entry.failures.first else {
                    text += "/>\n"
                    continue
                }
                text += ">\n" + #"    <failure message="\#(escape(first))">"#
                text += escape(entry.failures.joined(separator: "\n"))
                text += "</failure>\n  </testcase>\n"
            }
            text += "</testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    /// The cases of a folder, each with what is wrong; a test that cannot be run is one.
    private static func cases(_ outcome: TestOutcome) -> [(name: String, failures: [String])] {
        switch outcome.content {
        case .unusable(let why): return [("test.yaml", why.messages.isEmpty ? [outcome.summary] : why.messages)]
        case .decided(let result):
            return result.cases.map { entry in
                let failures = result.failures.filter { $0.location == entry.location }
                return (entry.name, failures.flatMap(TestOutcome.lines))
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
