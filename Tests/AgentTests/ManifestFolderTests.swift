import Foundation
import Glibc
import Support
import Synchronization
import Testing

@testable import Agent

@Suite struct ManifestFolderTests {
    /// A folder whose files hold one pod each, named by the file's text.
    private func folder(_ scratch: ScratchFolder) throws -> ManifestFolder {
        try ManifestFolder(scratch.path) { path in
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                return ManifestFile(unreadable: ["unreadable"])
            }
            return ManifestFile(objects: [.pod(Fixtures.pod(text, nil))], refused: [])
        }
    }

    private func names(_ folder: ManifestFolder) throws -> [String] {
        try folder.read().values.flatMap { $0.objects.map(\.metadata.name) }.sorted()
    }

    @Test("only visible yaml, yml and json files count, in subfolders too")
    func selection() throws {
        let scratch = try ScratchFolder()
        try scratch.folder("sub/deep")
        try scratch.folder(".git")
        for name in ["a.yaml", "b.yml", "c.json", "sub/deep/d.yaml", ".e.yaml", "f.yaml~", "g.txt", ".git/h.yaml"] {
            try scratch.write(name, name)
        }
        #expect(try names(folder(scratch)) == ["a.yaml", "b.yml", "c.json", "sub/deep/d.yaml"])
    }

    @Test("every way of changing a folder is told and seen")
    func changes() async throws {
        let scratch = try ScratchFolder()
        let folder = try folder(scratch)
        let count = Mutex(0)
        try folder.watch { count.withLock { $0 += 1 } }
        func expect(_ wanted: [String], _ what: Comment, _ change: () throws -> Void) async throws {
            let before = count.withLock { $0 }
            try change()
            #expect(await eventually { count.withLock { $0 } > before }, what)
            #expect(try await eventually { try names(folder) == wanted }, what)
        }
        try await expect(["one"], "new file") { try scratch.write("a.yaml", "one") }
        try await expect(["two"], "rewritten in place") { try scratch.write("a.yaml", "two") }
        try await expect(["three"], "replaced by rename") { try scratch.write("a.yaml", "three", atomically: true) }
        try await expect(["three"], "new folder") { try scratch.folder("sub") }
        try await expect(["four", "three"], "file in a new folder") { try scratch.write("sub/b.yaml", "four") }
        try await expect(["four"], "removed") { unlink(scratch.file("a.yaml")) }
        try await expect([], "folder renamed to a hidden name") {
            rename(scratch.file("sub"), scratch.file(".sub"))
        }
    }

    @Test("a ConfigMap's link swap is seen")
    func linkSwap() async throws {
        let scratch = try ScratchFolder()
        try scratch.folder("..v1")
        try scratch.folder("..v2")
        try scratch.write("..v1/a.yaml", "one")
        try scratch.write("..v2/a.yaml", "two")
        symlink("..v1", scratch.file("..data"))
        symlink("..data/a.yaml", scratch.file("a.yaml"))
        let folder = try folder(scratch)
        let count = Mutex(0)
        try folder.watch { count.withLock { $0 += 1 } }
        #expect(try names(folder) == ["one"])
        symlink("..v2", scratch.file("..data_tmp"))
        let before = count.withLock { $0 }
        rename(scratch.file("..data_tmp"), scratch.file("..data"))
        #expect(await eventually { count.withLock { $0 } > before })
        #expect(try names(folder) == ["two"])
    }

    @Test("a file that is being written keeps its former content until it is closed")
    func halfWritten() async throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "whole")
        let folder = try folder(scratch)
        try folder.watch {}
        #expect(try names(folder) == ["whole"])
        let writer = try #require(FileHandle(forWritingAtPath: scratch.file("a.yaml")))
        try writer.truncate(atOffset: 0)
        try writer.write(contentsOf: Data("ha".utf8))
        // Give the watcher's thread time to hear of it, and no more than its patience: hence no suspension here.
        usleep(100_000)
        #expect(try names(folder) == ["whole"])
        try writer.write(contentsOf: Data("lves".utf8))
        try writer.close()
        #expect(try await eventually { try names(folder) == ["halves"] })
    }

    @Test("a folder that is gone is an error, not an empty folder")
    func gone() throws {
        let scratch = try ScratchFolder()
        try scratch.folder("m")
        let folder = try ManifestFolder(scratch.file("m")) { _ in ManifestFile(unreadable: []) }
        rmdir(scratch.file("m"))
        #expect(throws: SystemError.self) { try folder.read() }
    }

    @Test("a folder that cannot be listed whole is an error: nobody knows what is in force in it")
    func tooDeep() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "one")
        let folder = try folder(scratch)
        #expect(try names(folder) == ["one"])
        try scratch.folder((0..<DirectoryWalk.depthLimit).map { "\($0)" }.joined(separator: "/"))
        #expect(throws: SystemError.self) { try folder.read() }
    }

    @Test("a link that leads nowhere is a file that cannot be read, a link to a folder a warning")
    func links() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "one")
        symlink("nowhere", scratch.file("b.yaml"))
        symlink(".", scratch.file("loop"))
        let folder = try folder(scratch)
        #expect(try names(folder) == ["one"])
        let snapshot = try folder.read()
        #expect(snapshot.keys.sorted() == ["a.yaml", "b.yaml", "loop"].map(scratch.file))
        #expect(snapshot[scratch.file("b.yaml")]?.unreadable.count == 1)
        let loop = try #require(snapshot[scratch.file("loop")])
        #expect(loop.isGood)
        #expect(loop.warnings.count == 1)
    }

    @Test("inotify records cut short at any byte give only whole events")
    func truncatedEvents() {
        var bytes: [UInt8] = []
        for name in ["a.yaml", ""] {
            bytes += [1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, name.isEmpty ? 0 : 16, 0, 0, 0]
            if !name.isEmpty { bytes += Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count) }
        }
        for length in 0...bytes.count {
            let events = InotifyEvent.parse(bytes.prefix(length))
            #expect(events.count == (length == bytes.count ? 2 : length >= 32 ? 1 : 0))
            #expect(events.first.map { $0.name == "a.yaml" && $0.isFinished && !$0.isWrite } ?? true)
        }
    }
}
