public import Support

extension DiagnosticCatalogue {
    /// The text of docs/reference/diagnostics.md.
    public static var referencePage: String {
        var page = """
            # Diagnostics

            What netpold reports about manifests, by id. Generated from `DiagnosticCatalogue`; a test fails when the two differ, when
            an example does not produce its id, or when its fixed form produces any diagnostic.

            An error refuses its object: the pods that a refused policy selects are isolated. A warning is about a valid policy that
            is probably wrong, a note about one that may be right. `netpold lint PATH` reports all of them, `netpold lint --explain
            ID` prints the text of this page, `--allow ID` ignores warnings and notes of an id.

            `netpold lint` prints one line per diagnostic, `file:line:column: severity: path: message; fix [id]`, and on a terminal \
            the source line with a mark under the value. `-o json` prints one object: `version` (1), `findings` (each with `id`, `severity`, \
            `message`, and, where present, `file`, `line`, `column` in code points, `path`, `hint`) and `summary` (`errors`, \
            `warnings`, `notes`); fields are added, never renamed or removed. `-o yaml` prints the same as YAML, `-o sarif` SARIF 2.1.0 with every id as a rule. \
            `compile`, `explain`, `test` and `lab` have the same as `--format json`, `yaml` and `sarif`: one document on standard error, in \
            which a wrong argument is an `invalid-value` without a place.

            | id | severity | title |
            |---|---|---|

            """
        for entry in entries {
            let id = entry.id.rawValue
            page += "| [`\(id)`](#\(id)) | \(entry.severity.rawValue) | \(entry.title) |\n"
        }
        for entry in entries {
            page += "\n## \(entry.id.rawValue)\n\n"
            page += "\(entry.title) (\(entry.severity.rawValue)).\n\n\(entry.reason)\n\n**Fix.** \(entry.fix)\n"
            if let bad = entry.bad { page += "\n```yaml\n# bad\n\(bad)\n```\n" }
            if let good = entry.good { page += "\n```yaml\n# fixed\n\(good)\n```\n" }
        }
        return page
    }
}

extension DiagnosticEntry {
    /// The entry for a terminal.
    public func explanation(_ style: TextStyle) -> String {
        var text = "\(style.strong(id.rawValue)) (\(severity.rawValue)): \(title)\n\n\(reason)\n\nFix: \(fix)\n"
        if let bad { text += "\n\(style.strong("Bad:"))\n\n\(DiagnosticEntry.indented(bad))\n" }
        if let good { text += "\n\(style.strong("Fixed:"))\n\n\(DiagnosticEntry.indented(good))\n" }
        return text
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
            .joined(separator: "\n")
    }
}
