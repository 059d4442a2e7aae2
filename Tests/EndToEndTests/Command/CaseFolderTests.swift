import Foundation
import Testing

/// The folders of `Tests/Cases`: small inputs with the right answers.
@Suite("Cases from the field")
struct CaseFolderTests {
    private static let root = DeployTools.repository.appending(path: "Tests/Cases").path()
    private static var folders: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/test.yaml") }.sorted()
    }

    /// kubectl may be among the tools of deploy/.
    private static let environment = [
        "PATH": DeployTools.folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    ]

    /// A diagnostic of `netpold lint --format json`.
    private struct Finding: Decodable {
        let severity: String
        let id: String
        let file: String
        let line: Int
    }

    private struct Report: Decodable {
        let findings: [Finding]
    }

    private func lint(_ folder: String) throws -> [Finding] {
        let run = try BuiltNetpold.run(["lint", "\(Self.root)/\(folder)", "--format", "json"])
        return try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)).findings
    }

    @Test("there are cases, each with a test")
    func found() {
        #expect(Self.folders.count >= 8)
        #expect(Self.folders.count { FileManager.default.fileExists(atPath: "\(Self.root)/\($0)/lint.txt") } >= 4)
    }

    @Test(
        "netpold test gives the answers",
        arguments: folders.filter {
            // It expects what its user believes, not what is right: `reason`.
            !["test-reason-empty-hostnetwork"].contains($0)
        })
    func answers(_ folder: String) throws {
        let run = try BuiltNetpold.run(["test", "\(Self.root)/\(folder)"], environment: Self.environment)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    @Test("where a test expects what cannot be, the reason is printed for each end")
    func reason() throws {
        let run = try BuiltNetpold.run(["test", "\(Self.root)/test-reason-empty-hostnetwork"])
        #expect(run.code == 1)
        #expect(run.output.contains("expected deny, got allow"))
        for side in ["egress of mon/a: allow", "ingress of mon/b: allow"] { #expect(run.output.contains(side)) }
        #expect(
            run.output.components(separatedBy: "it uses hostNetwork, so policies for pods do not apply to it").count
                == 3, "\(run.output)")
        // With the answer that its comment calls right, it passes.
        let copy = FileManager.default.temporaryDirectory.appending(path: "case-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try FileManager.default.copyItem(atPath: "\(Self.root)/test-reason-empty-hostnetwork", toPath: copy)
        let text = try String(contentsOfFile: "\(copy)/test.yaml", encoding: .utf8)
        #expect(text.contains("the verdict (allow) is right"))
        try text.replacing(#""expect": "deny""#, with: #""expect": "allow""#).write(
            toFile: "\(copy)/test.yaml", atomically: true, encoding: .utf8)
        #expect(try BuiltNetpold.run(["test", copy]).code == 0)
        // And lint says beforehand that the policy selects nothing.
        let found = try lint("test-reason-empty-hostnetwork")
        #expect(found.contains { $0.id == "selects-nothing" && $0.severity == "warning" }, "\(found)")
    }

    @Test(
        "lint.txt holds: what was reported falsely is not, what was missed is",
        arguments: folders.filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/lint.txt") })
    func lintText(_ folder: String) throws {
        let text = try String(contentsOfFile: "\(Self.root)/\(folder)/lint.txt", encoding: .utf8)
        let warnings = try lint(folder).filter { $0.severity != "note" }
        if let wrong = text.firstMatch(of: /false warning ([a-z-]+) at ([a-z.]+):(\d+)/) {
            let line = Int(wrong.3)
            #expect(!warnings.contains { $0.id == wrong.1 && $0.file.hasSuffix(wrong.2) && $0.line == line })
        } else if let wanted = text.firstMatch(of: /Expected: ([a-z-]+)/) {
            #expect(warnings.contains { $0.id == wanted.1 })
        } else {
            #expect(text.hasPrefix("missed: no finding"), "\(text)")
            // Not that labels match nobody, which holds of whatever files do not show.
            #expect(warnings.contains { $0.id != "selects-nothing" && $0.file.hasSuffix("policies.yaml") })
        }
    }
}
