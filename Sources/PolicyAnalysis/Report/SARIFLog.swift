public import PolicyAPI

/// Diagnostics as a SARIF 2.1.0 log, which code hosts and editors show next to the source lines.
public struct SARIFLog: Encodable, Sendable {
    struct Run: Encodable, Sendable {
        var tool: Tool
        /// "columnKind: how columns are counted": ours are code points, not the default UTF-16 units.
        var columnKind = "unicodeCodePoints"
        var results: [Result]
    }
    struct Tool: Encodable, Sendable {
        var driver: Driver
    }
    struct Driver: Encodable, Sendable {
        var name = "netpold"
        var version: String
        var rules: [Rule]
    }
    struct Text: Encodable, Sendable {
        var text: String
    }
    struct Rule: Encodable, Sendable {
        struct Configuration: Encodable, Sendable {
            var level: String
        }
        var id: String
        var shortDescription: Text
        var fullDescription: Text
        var help: Text
        var defaultConfiguration: Configuration
    }
    struct Result: Encodable, Sendable {
        var ruleId: String
        var ruleIndex: Int
        var level: String
        var message: Text
        var locations: [Location]?
    }
    struct Location: Encodable, Sendable {
        var physicalLocation: PhysicalLocation
        var logicalLocations: [LogicalLocation]?
    }
    struct LogicalLocation: Encodable, Sendable {
        var fullyQualifiedName: String
    }
    struct PhysicalLocation: Encodable, Sendable {
        var artifactLocation: ArtifactLocation
        /// Missing for diagnostics about a file as a whole.
        var region: Region?
    }
    struct ArtifactLocation: Encodable, Sendable {
        var uri: String
    }
    struct Region: Encodable, Sendable {
        var startLine: Int
        var startColumn: Int
    }

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version, runs
    }

    private var schema = "https://json.schemastore.org/sarif-2.1.0.json"
    private var version = "2.1.0"
    private var runs: [Run]

    /// A log of one run; each diagnostic once. Every id is a rule, including those without a diagnostic.
    public init(_ diagnostics: [Diagnostic], toolVersion: String) {
        let entries = DiagnosticCatalogue.entries
        let rules = entries.map { entry in
            Rule(
                id: entry.id.rawValue, shortDescription: Text(text: entry.title + "."),
                fullDescription: Text(text: entry.reason), help: Text(text: entry.fix),
                defaultConfiguration: Rule.Configuration(level: entry.severity.rawValue))
        }
        let numbers = Dictionary(
            entries.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        let results = diagnostics.sortedOnce.map { diagnostic in
            Result(
                ruleId: diagnostic.id.rawValue, ruleIndex: numbers[diagnostic.id] ?? -1,
                level: diagnostic.severity.rawValue, message: Text(text: SARIFLog.message(diagnostic)),
                locations: diagnostic.location.map { [SARIFLog.location($0, path: diagnostic.path)] })
        }
        runs = [Run(tool: Tool(driver: Driver(version: toolVersion, rules: rules)), results: results)]
    }

    private static func message(_ diagnostic: Diagnostic) -> String {
        let path = diagnostic.path.isEmpty ? "" : "\(diagnostic.path): "
        return path + diagnostic.message + (diagnostic.hint.isEmpty ? "" : "; \(diagnostic.hint)")
    }

    private static func location(_ location: SourceLocation, path: String) -> Location {
        Location(
            physicalLocation: PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: FileReference.uri(location.file)),
                region: location.line > 0
                    ? Region(startLine: location.line, startColumn: max(location.column, 1)) : nil),
            logicalLocations: path.isEmpty ? nil : [LogicalLocation(fullyQualifiedName: path)])
    }
}
