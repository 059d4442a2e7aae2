public import PolicyAPI

/// Diagnostics for other programs: what `--format json` prints. Fields are added, never renamed or removed; their order
/// does not matter.
public struct DiagnosticReport: Encodable, Sendable {
    /// One diagnostic.
    public struct Entry: Encodable, Sendable {
        /// A `DiagnosticID`.
        public var id: String
        /// `error`, `warning` or `note`.
        public var severity: String
        /// The file as the user named it, `-` for standard input; missing for diagnostics without a file.
        public var file: String?
        /// From 1; missing for diagnostics about a file as a whole.
        public var line: Int?
        /// In code points, from 1; missing with `line`.
        public var column: Int?
        /// The path inside the object; missing for diagnostics about a whole document.
        public var path: String?
        /// What is wrong.
        public var message: String
        /// How to fix it; missing when the message says it.
        public var hint: String?
    }

    /// How many there are of each severity.
    public struct Summary: Encodable, Sendable {
        /// Diagnostics that refuse an object.
        public var errors: Int
        /// Diagnostics about valid policies that are probably wrong.
        public var warnings: Int
        /// Diagnostics that may be intended.
        public var notes: Int
    }

    private enum CodingKeys: String, CodingKey {
        case version
        // The name that programs know.
        case diagnostics = "findings"
        case summary
    }

    /// Version of this shape.
    public var version = 1
    /// The diagnostics, by location.
    public var diagnostics: [Entry]
    /// How many there are.
    public var summary: Summary

    /// A report; each diagnostic once.
    public init(_ diagnostics: [Diagnostic]) {
        let sorted = diagnostics.sortedOnce
        self.diagnostics = sorted.map(Entry.init)
        summary = Summary(
            errors: sorted.errors.count, warnings: sorted.count { $0.severity == .warning },
            notes: sorted.count { $0.severity == .note })
    }
}

extension DiagnosticReport.Entry {
    /// The entry of a diagnostic.
    public init(_ diagnostic: Diagnostic) {
        let location = diagnostic.location
        let isPlace = (location?.line ?? 0) > 0
        self.init(
            id: diagnostic.id.rawValue, severity: diagnostic.severity.rawValue, file: location?.file,
            line: isPlace ? location?.line : nil, column: isPlace ? location?.column : nil,
            path: diagnostic.path.isEmpty ? nil : diagnostic.path, message: diagnostic.message,
            hint: diagnostic.hint.isEmpty ? nil : diagnostic.hint)
    }
}
