import Foundation
import Testing

/// Everything in README.md and docs/ that looks like something to try is tried, and must print what the page says.
/// `RECORD_SNAPSHOTS=1` writes what was printed into the pages.
@Suite("Examples of the documents", .serialized)
struct DocExamplesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let pages: [String] = {
        let docs = FileManager.default.enumerator(atPath: root.appending(path: "docs").path())
        let names = (docs?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".md") }
        return ["README.md"] + names.map { "docs/" + $0 }.sorted()
    }()

    @Test("the commands of a page print what it shows", arguments: pages)
    func page(name: String) throws {
        let url = Self.root.appending(path: name)
        let page = try DocPage(String(contentsOf: url, encoding: .utf8))
        // What a table makes has its examples run by that table's tests.
        if page.isGenerated || page.needsRoot && geteuid() != 0 { return }

        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-docs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(
            at: Self.root.appending(path: "examples"), to: folder.appending(path: "examples"))

        let printed = try run(page, in: folder)
        var commands = printed.makeIterator()
        var lines = page.lines
        var shift = 0
        for case .command(let command, let expected, let line) in page.steps {
            guard let output = commands.next() else {
                Issue.record("\(name):\(line): was not reached: $ \(command)")
                break
            }
            if DocPage.matches(output[...], expected[...]) { continue }
            if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
                lines.replaceSubrange(line + shift..<line + shift + expected.count, with: output)
                shift += output.count - expected.count
            }
            Issue.record("\(name):\(line): $ \(command)\n\(output.joined(separator: "\n"))")
        }
        if lines != page.lines { try lines.joined(separator: "\n").write(to: url, atomically: true, encoding: .utf8) }
    }

    /// Runs the steps in one shell, so that `cd`, variables and `$?` work; what each command printed, in lines.
    private func run(_ page: DocPage, in folder: URL) throws -> [[String]] {
        let mark = "--- \(UUID().uuidString) ---"
        var script = "exec 2>&1\n"
        for step in page.steps {
            switch step {
            case .file(let path, let text):
                let file = folder.appending(path: path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: true, encoding: .utf8)
            case .command(let command, _, _):
                script += "\(command)\nstatus=$?; printf '%s\\n' '\(mark)'; (exit $status)\n"
            }
        }
        try script.write(to: folder.appending(path: ".script"), atomically: true, encoding: .utf8)

        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = [".script"]
        shell.currentDirectoryURL = folder
        let binaries = URL(filePath: BuiltNetpold.path).deletingLastPathComponent().path()
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        shell.environment = ProcessInfo.processInfo.environment.merging(
            ["PATH": binaries + ":" + path, "NO_COLOR": "1", "COLUMNS": "120"]) { $1 }
        let output = folder.appending(path: ".output")
        try Data().write(to: output)
        shell.standardInput = FileHandle.nullDevice
        shell.standardOutput = try FileHandle(forWritingTo: output)
        try shell.run()
        shell.waitUntilExit()

        var commands: [[String]] = [[]]
        for line in try String(contentsOf: output, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line == mark { commands.append([]) } else { commands[commands.count - 1].append(String(line)) }
        }
        return commands.dropLast()
    }
}

@Suite("Reading a page of docs/")
struct DocPageTests {
    @Test("files, commands and what they print are found, in their order")
    func steps() throws {
        let page = try DocPage(
            "text\n```yaml\n# a/b.yaml\nx: 1\n```\n```console\n$ one \\\n  two\nout\n\n$ three\n```\n```sh\nnot run\n```\n"
        )
        #expect(
            page.steps == [
                .file(path: "a/b.yaml", text: "# a/b.yaml\nx: 1\n"),
                .command("one \\\n  two", output: ["out", ""], line: 8), .command("three", output: [], line: 11),
            ])
    }

    @Test("a block that names no file, or has no end, is no page")
    func malformed() {
        #expect(throws: DocPage.Malformed.self) { try DocPage("```yaml\nx: 1\n```\n") }
        #expect(throws: DocPage.Malformed.self) { try DocPage("```console\n$ x\n") }
    }

    @Test("three dots stand for any lines and nothing else does")
    func matching() {
        func matches(_ lines: [String], _ expected: [String]) -> Bool { DocPage.matches(lines[...], expected[...]) }
        #expect(matches(["a", "b", "c"], ["a", "...", "c"]))
        #expect(matches(["a", "c"], ["a", "...", "c"]))
        #expect(matches([], ["..."]))
        #expect(!matches(["a", "b"], ["a"]))
        #expect(!matches(["a"], ["a", "b"]))
        #expect(!matches(["b", "c"], ["a", "...", "c"]))
    }
}
