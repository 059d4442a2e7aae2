import PolicyAPI
import Support

/// The last line of `netpold lint`.
struct LintSummary {
    let files: Int
    let objects: Int
    let errors: Int
    let warnings: Int
    let notes: Int

    init(files: Int, _ decoded: DecodedManifests, _ diagnostics: [Diagnostic]) {
        self.files = files
        objects = decoded.objectCount
        errors = diagnostics.errors.count
        warnings = diagnostics.count { $0.severity == .warning }
        notes = diagnostics.count { $0.severity == .note }
    }

    /// `3 files, 12 objects, 0 errors, 1 warning`, and notes if there are any.
    func text(_ style: TextStyle) -> String {
        let plain = [LintSummary.count(files, "file"), LintSummary.count(objects, "object")].joined(separator: ", ")
        let bad = LintSummary.count(errors, "error")
        let notable = LintSummary.count(warnings, "warning")
        return "\(plain), \(errors > 0 ? style.bad(bad) : bad), \(warnings > 0 ? style.notable(notable) : notable)"
            + (notes > 0 ? ", \(LintSummary.count(notes, "note"))" : "")
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
