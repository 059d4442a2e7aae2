import Foundation
import Testing

/// Repositories in the layouts that people use (`RepositoryLayout.all`), with everything that lint says of each, and nothing else.
@Suite("netpold lint of whole repositories")
struct RepositoryLayoutsTests {
    private struct Finding: Decodable {
        let id: String
        let file: String
        let line: Int
    }

    private struct Report: Decodable {
        let findings: [Finding]
    }

    @Test("everything that is expected is found, and nothing else", arguments: RepositoryLayout.all)
    func findings(_ layout: RepositoryLayout) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "layout-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (name, text) in layout.files {
            let file = URL(filePath: "\(root)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }
        let run = try BuiltNetpold.run(["lint", root, "--format", "json"])
        let found = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)).findings
        #expect(found.map { "\($0.file.dropFirst(root.count + 1)):\($0.line) \($0.id)" } == layout.findings)
        #expect(run.code == layout.code, "\(run.errors)")
        let notes = run.errors.split(separator: "\n").filter { $0.hasPrefix("note: ") }.map { String($0.dropFirst(6)) }
        #expect(notes == layout.notes)
    }
}
