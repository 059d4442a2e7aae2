public import PolicyAPI

/// Findings for other programs: what `--format json` prints. Fields are added, never renamed or removed; their order does
/// not matter.
public struct DiagnosticReport: Encodable, Sendable {
    /// One finding.
    public struct Finding: Encodable, Sendable {
        /// A `DiagnosticID`.
        public var id: String
        /// `error`, `warning` or `note`.
        public var severity: String
        /// The file as the user named it, `-` for standard input; missing for findings about no file.
        public var file: String?
        /// From 1; missing for findings about a file as a whole.
        public var line: Int?
        /// In code points, from 1; missing with `line`.
        public var column: Int?
        /// The path inside the object; missing for findings about a whole document.
        public var path: String?
        /// What is wrong.
        public var message: String
        /// How to mend it; missing when the message says it.
        public var hint: String?
    }

    /// How many there are of each severity.
    public struct Summary: Encodable, Sendable {
        /// Findings that refuse an object.
        public var errors: Int
        /// Findings about what is legal and probably wrong.
        public var warnings: Int
        /// The others.
        public var notes: Int
    }

    /// Version of this shape.
    public var version = 1
    /// The findings, by place.
    public var findings: [Finding]
    /// Their numbers.
    public var summary: Summary

    /// A report; each finding once.
    public init(_ diagnostics: [Diagnostic]) {
        let sorted = diagnostics.sortedOnce
        findings = sorted.map(Finding.init)
        summary = Summary(
            errors: sorted.count { $0.severity == .error }, warnings: sorted.count { $0.severity == .warning },
            notes: sorted.count { $0.severity == .note })
    }
}

extension DiagnosticReport.Finding {
    init(_ diagnostic: Diagnostic) {
        let location = diagnostic.location
        let isPlace = (location?.line ?? 0) > 0
        self.init(
            id: diagnostic.id.rawValue, severity: diagnostic.severity.rawValue, file: location?.file,
            line: isPlace ? location?.line : nil, column: isPlace ? location?.column : nil,
            path: diagnostic.path.isEmpty ? nil : diagnostic.path, message: diagnostic.message,
            hint: diagnostic.hint.isEmpty ? nil : diagnostic.hint)
    }
}
