import Foundation
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis

@Suite("Diagnostics for other programs")
struct DiagnosticReportTests {
    private let diagnostics = [
        Diagnostic(
            id: .conflict, location: SourceLocation(file: "a b/ü.yaml", line: 3, column: 7), path: "spec.egress[0]",
            message: "m", hint: "h"),
        Diagnostic(id: .egressWithoutDNS, severity: .note, location: .whole("/abs/x.yaml"), message: "n"),
        Diagnostic(id: .tooMany, severity: .warning, location: nil, message: "o"),
        Diagnostic(id: .tooMany, severity: .warning, location: nil, message: "o"),
    ]

    private func object(_ value: some Encodable) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any])
    }

    @Test("JSON: a version, each diagnostic once with its fields, and their numbers")
    func json() throws {
        let report = try object(DiagnosticReport(diagnostics))
        #expect(report["version"] as? Int == 1)
        #expect(report["summary"] as? [String: Int] == ["errors": 1, "warnings": 1, "notes": 1])
        let list = try #require(report["findings"] as? [[String: Any]])
        #expect(list.map { $0["id"] as? String } == ["too-many", "egress-without-dns", "conflict"])
        #expect(Set(list[0].keys) == ["id", "severity", "message"])
        #expect(Set(list[1].keys) == ["id", "severity", "message", "file"])
        #expect(list[2]["line"] as? Int == 3 && list[2]["column"] as? Int == 7)
        #expect(list[2]["path"] as? String == "spec.egress[0]" && list[2]["hint"] as? String == "h")
    }

    @Test("SARIF 2.1.0: every result's rule is among the driver's at its index, places are regions and encoded URIs")
    func sarif() throws {
        let log = try object(SARIFLog(diagnostics, toolVersion: "1.2.3"))
        #expect(log["version"] as? String == "2.1.0")
        #expect((log["$schema"] as? String)?.hasSuffix("sarif-2.1.0.json") == true)
        let runs = try #require(log["runs"] as? [[String: Any]])
        #expect(runs.count == 1)
        #expect(runs[0]["columnKind"] as? String == "unicodeCodePoints")
        let driver = try #require((runs[0]["tool"] as? [String: Any])?["driver"] as? [String: Any])
        #expect(driver["version"] as? String == "1.2.3")
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(Set(rules.compactMap { $0["id"] as? String }) == Set(DiagnosticID.allCases.map(\.rawValue)))
        for rule in rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                #expect((rule[text] as? [String: String])?["text"]?.isEmpty == false)
            }
            let level = (rule["defaultConfiguration"] as? [String: String])?["level"]
            #expect(["error", "warning", "note"].contains(level))
        }
        let results = try #require(runs[0]["results"] as? [[String: Any]])
        #expect(results.count == 3)
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
        }
        #expect(results[0]["locations"] == nil)
        let places = try results.dropFirst().map { result in
            let location = try #require((result["locations"] as? [[String: Any]])?.first)
            return try #require(location["physicalLocation"] as? [String: Any])
        }
        #expect((places[0]["artifactLocation"] as? [String: String]) == ["uri": "file:///abs/x.yaml"])
        #expect(places[0]["region"] == nil)
        #expect((places[1]["artifactLocation"] as? [String: String]) == ["uri": "a%20b/%C3%BC.yaml"])
        #expect((places[1]["region"] as? [String: Int]) == ["startLine": 3, "startColumn": 7])
        #expect((results[2]["message"] as? [String: String])?["text"] == "spec.egress[0]: m; h")
    }

    @Test(
        "File names become URI references",
        arguments: [("-", "stdin"), ("./a/b.yaml", "a/b.yaml"), ("a:b%", "a%3Ab%25"), ("../x", "../x")])
    func uris(_ path: String, _ uri: String) {
        #expect(FileReference.uri(path) == uri)
    }
}
