import Foundation
import PolicyAPI
import PolicyAnalysis
import Testing

@testable import Agent

@Suite("Manifest files")
struct ManifestFilesTests {
    /// A folder of its own for each test, removed afterwards.
    private final class Scratch {
        let path: String

        init() throws {
            path = NSTemporaryDirectory() + "netpold-manifests-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String) throws {
            let file = URL(fileURLWithPath: path + "/" + name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }

        func link(_ name: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
        }
    }

    private func namespace(_ name: String) -> String { "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name)}\n" }

    @Test("A folder is read recursively in the order of names, hidden and other files left out")
    func folder() throws {
        let scratch = try Scratch()
        try scratch.write("b.yml", namespace("b"))
        try scratch.write("a/z.yaml", namespace("z"))
        try scratch.write("c.json", #"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c"}}"#)
        try scratch.write(".hidden.yaml", "broken: [")
        try scratch.write(".git/x.yaml", "broken: [")
        try scratch.write("notes.txt", "broken: [")
        let loaded = ManifestFiles.load([scratch.path])
        #expect(loaded.decoded.diagnostics == [])
        #expect(loaded.decoded.objects.namespaces.map(\.metadata.name) == ["z", "b", "c"])
        #expect(loaded.files == ["a/z.yaml", "b.yml", "c.json"].map { scratch.path + "/" + $0 })
    }

    @Test("A named file is read whatever its name, and a file named twice is read once")
    func named() throws {
        let scratch = try Scratch()
        try scratch.write("notes.txt", namespace("n"))
        try scratch.write("a.yaml", namespace("a"))
        try scratch.link("b.yaml", to: "a.yaml")
        let file = scratch.path + "/notes.txt"
        let loaded = ManifestFiles.load([file, file, scratch.path, scratch.path])
        #expect(loaded.decoded.diagnostics == [])
        #expect(loaded.decoded.objects.namespaces.map(\.metadata.name) == ["n", "a"])
    }

    @Test("Links to folders, dangling links and missing files are diagnostics, and the rest is read")
    func broken() throws {
        let scratch = try Scratch()
        try scratch.write("good.yaml", namespace("good"))
        try scratch.link("dangling.yaml", to: "nowhere")
        try scratch.link("self.yaml", to: "self.yaml")
        try scratch.write("sub/inner.yaml", namespace("inner"))
        try scratch.link("sub/up", to: "..")
        let loaded = ManifestFiles.load([scratch.path, scratch.path + "/missing"])
        #expect(loaded.decoded.objects.namespaces.map(\.metadata.name) == ["good", "inner"])
        #expect(loaded.decoded.diagnostics.map(\.id) == Array(repeating: .unreadable, count: 4))
        let text = DiagnosticRenderer().render(loaded.decoded.diagnostics)
        #expect(text.contains("error: no such file or folder; check the path"))
        #expect(text.contains("sub/up: warning: a link to a folder, which is not followed; name the folder that"))
    }

    @Test("A pipe inside a folder is not waited for")
    func pipe() throws {
        let scratch = try Scratch()
        #expect(mkfifo(scratch.path + "/p.yaml", 0o600) == 0)
        let loaded = ManifestFiles.load([scratch.path])
        #expect(loaded.decoded.hasErrors)
        #expect(loaded.files == [])
    }

    @Test("An endless file ends at the limit")
    func endless() {
        let loaded = ManifestFiles.load(["/dev/zero"])
        #expect(loaded.decoded.diagnostics.map(\.id) == [.limit])
    }

    @Test("An empty folder is a warning")
    func empty() throws {
        let scratch = try Scratch()
        #expect(ManifestFiles.load([scratch.path]).decoded.diagnostics.map(\.severity) == [.warning])
    }

    /// The same odd tree for the dry run and for the agent: a link to a file and a hard link to it, a link back up, one that
    /// leads nowhere, one to a folder outside, a pipe, hidden names.
    @Test("The dry run and the agent find the same files in the same folder, and the same faults")
    func sameInBoth() throws {
        let outside = try Scratch()
        try outside.write("far.yaml", namespace("far"))
        let scratch = try Scratch()
        try scratch.write("real.yaml", namespace("real"))
        try scratch.link("alias.yaml", to: "real.yaml")
        #expect(link(scratch.path + "/real.yaml", scratch.path + "/zz.yaml") == 0)
        try scratch.write("sub/inner.yml", namespace("inner"))
        try scratch.link("sub/up", to: "..")
        try scratch.link("sub/dangling.json", to: "nowhere")
        try scratch.link("outside", to: outside.path)
        try scratch.link("near.yaml", to: outside.path + "/far.yaml")
        try scratch.write("..v1/config.yaml", namespace("config"))
        try scratch.link("..data", to: "..v1")
        try scratch.link("config.yaml", to: "..data/config.yaml")
        #expect(mkfifo(scratch.path + "/pipe.yaml", 0o600) == 0)

        let dryRun = ManifestFiles.load([scratch.path])
        let agent = try FolderListing(scratch.path)
        #expect(
            dryRun.files == ["real.yaml", "config.yaml", "near.yaml", "sub/inner.yml"].map { scratch.path + "/" + $0 })
        #expect(agent.files.keys.sorted() == dryRun.files.sorted())
        #expect(dryRun.decoded.objects.namespaces.map(\.metadata.name) == ["real", "config", "far", "inner"])
        let faults = dryRun.decoded.diagnostics.filter { $0.id == .unreadable }
        #expect(faults.count == dryRun.decoded.diagnostics.count)
        #expect(
            faults.map { "\($0.severity) \($0.location?.file.dropFirst(scratch.path.count + 1) ?? "")" } == [
                "warning outside", "error pipe.yaml", "error sub/dangling.json", "warning sub/up",
            ])
        #expect(agent.diagnostics.values.sorted() == faults.sorted())
        #expect(agent.folders == [scratch.path, scratch.path + "/sub"])
    }

    @Test("A path that is named may itself be a link to a folder, for both")
    func namedLink() throws {
        let scratch = try Scratch()
        try scratch.write("v1/a.yaml", namespace("a"))
        try scratch.link("current", to: "v1")
        let loaded = ManifestFiles.load([scratch.path + "/current"])
        #expect(loaded.files == [scratch.path + "/current/a.yaml"])
        #expect(loaded.decoded.diagnostics == [])
        #expect(try FolderListing(scratch.path + "/current").files.keys.sorted() == loaded.files)
    }
}
