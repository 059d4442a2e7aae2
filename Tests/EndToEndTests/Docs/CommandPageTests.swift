import Foundation
import Glibc
import Testing

/// docs/reference/cli.md, which scripts/command-pages.py makes of what the commands say of themselves.
@Suite("The page of the commands", .serialized)
struct CommandPageTests {
    private static let page = DeployTools.repository.appending(path: "docs/reference/cli.md")

    @Test("it is what the commands say: `make cli` writes it")
    func isCurrent() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let made = folder.appending(path: "cli.md")
        let run = try DeployTools.run(
            "/usr/bin/env",
            ["python3", "scripts/command-pages.py", BuiltNetpold.path, "markdown", made.path()])
        #expect(run.code == 0, "\(run.errors)")
        let text = try String(contentsOf: made, encoding: .utf8)
        if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
            try text.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        let shown = try String(contentsOf: Self.page, encoding: .utf8)
        let other = zip(text.split(separator: "\n"), shown.split(separator: "\n")).first { $0 != $1 }
        if text != shown {
            Issue.record("docs/reference/cli.md is of other commands: make cli; \(String(describing: other))")
        }
        // Every command that is not hidden, and no other.
        let headings = Set(shown.matches(of: /(?m)^## netpold ([a-z0-9 -]+)$/).map { String($0.1) })
        let help = try BuiltNetpold.run(["--help"]).output
        let commands = help.matches(of: /(?m)^  ([a-z][a-z0-9-]*)( +(?:\(default\) )?[A-Z]|$)/).map { String($0.1) }
        #expect(commands.count > 20)
        for command in commands where command != "help" { #expect(headings.contains(command), "\(command)") }
    }

    @Test("man pages are made of the same, one for each command")
    func manPages() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-man-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let run = try DeployTools.run(
            "/usr/bin/env", ["python3", "scripts/command-pages.py", BuiltNetpold.path, "man", folder])
        #expect(run.code == 0, "\(run.errors)")
        let headings = try String(contentsOf: Self.page, encoding: .utf8).matches(of: /(?m)^## (netpold .*)$/)
        let pages = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(pages) == Set(headings.map { $0.1.replacing(" ", with: "-") + ".1" } + ["netpold.1"]))
        let lab = try String(contentsOfFile: "\(folder)/netpold-lab.1", encoding: .utf8)
        #expect(lab.contains(".SH SYNOPSIS") && lab.contains("\\-\\-keep") && lab.contains(".SH EXIT STATUS"))
    }

    @Test("every example of the page runs", .enabled(if: geteuid() == 0, "needs root"))
    func examples() throws {
        let blocks = try CommandExamples.blocks(of: String(contentsOf: Self.page, encoding: .utf8))
        #expect(blocks.joined().count > 15)
        let world = try CommandExamples()
        var ran = 0
        for block in blocks {
            for (example, result) in zip(block, try world.run(block)) {
                ran += 1
                #expect(result.code == 0, "$ \(example)\n\(result.output)")
            }
        }
        #expect(ran == blocks.joined().count)
    }

    @Test("an example that fails, or does not end, is seen", .enabled(if: geteuid() == 0, "needs root"))
    func wrongExamples() throws {
        let world = try CommandExamples()
        let results = try world.run([
            "netpold lint no-such-folder", "netpold compile --no-such-option", "netpold version",
            "netpold agent --manifests /no/such/folder",
        ])
        #expect(results.map { $0.code == 0 } == [false, false, true, false])
    }
}
