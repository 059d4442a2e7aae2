/// Test results in the XML that CI systems read: one `testcase` for each folder.
enum JUnitReport {
    static func render(_ results: [TestOutcome]) -> String {
        let failed = results.count { !$0.passed }
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
        text += #"<testsuites><testsuite name="netpold" tests="\#(results.count)" failures="\#(failed)">"# + "\n"
        for result in results {
            text += #"  <testcase classname="netpold" name="\#(escape(result.name))""#
            if result.passed {
                text += "/>\n"
                continue
            }
            let message = result.summary
            text += ">\n" + #"    <failure message="\#(escape(message))">"#
            text += escape(result.lines(limit: .max).joined(separator: "\n"))
            text += "</failure>\n  </testcase>\n"
        }
        return text + "</testsuite></testsuites>\n"
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
