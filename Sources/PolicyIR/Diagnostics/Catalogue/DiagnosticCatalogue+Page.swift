public import Support

extension DiagnosticCatalogue {
    /// The page docs/reference/diagnostics.md.
    public static var referencePage: String {
        var page = """
            # Findings

            What netpold says about manifests, by id. Made from `DiagnosticCatalogue`; a test fails when the two differ, when an
            example does not show its id, or when its mended form shows anything.

            An error refuses its object: the pods that a refused policy selects are isolated. A warning is about what is legal and
            probably wrong, a note about what may be right. `netpold lint PATH` tells all of them, `netpold lint --explain ID`
            prints what stands here, `--allow ID` leaves warnings and notes of an id out.

            `--format text` is one line a finding, `file:line:column: severity: path: message; mend [id]`, and on a terminal the line \
            itself with a mark under the value. `--format json` is one object: `version` (1), `findings` (each with `id`, `severity`, \
            `message`, and, where it has them, `file`, `line`, `column` in code points, `path`, `hint`) and `summary` (`errors`, \
            `warnings`, `notes`); fields are added, never renamed or removed. `--format sarif` is SARIF 2.1.0 with every id as a rule. \
            The formats are those of `compile`, `explain` and `lab` too, on standard error.

            | id | severity | what |
            |---|---|---|

            """
        for entry in entries {
            let id = entry.id.rawValue
            page += "| [`\(id)`](#\(id)) | \(entry.severity.rawValue) | \(entry.title) |\n"
        }
        for entry in entries {
            page += "\n## \(entry.id.rawValue)\n\n"
            page += "\(entry.title) (\(entry.severity.rawValue)).\n\n\(entry.reason)\n\n**Fix.** \(entry.fix)\n"
            if let bad = entry.bad { page += "\n```yaml\n# found\n\(bad)\n```\n" }
            if let good = entry.good { page += "\n```yaml\n# mended\n\(good)\n```\n" }
        }
        return page
    }
}

extension DiagnosticEntry {
    /// The entry for a terminal.
    public func explanation(_ style: TextStyle) -> String {
        var text = "\(style.strong(id.rawValue)) (\(severity.rawValue)): \(title)\n\n\(reason)\n\nFix: \(fix)\n"
        if let bad { text += "\n\(style.strong("Found:"))\n\n\(DiagnosticEntry.indented(bad))\n" }
        if let good { text += "\n\(style.strong("Mended:"))\n\n\(DiagnosticEntry.indented(good))\n" }
        return text
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
            .joined(separator: "\n")
    }
}
