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

    @Test("Loops, dangling links and missing files are diagnostics, and the rest is read")
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
        #expect(text.contains("leads back"))
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
}
