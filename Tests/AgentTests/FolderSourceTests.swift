import Foundation
import Glibc
import NetpoldTestSupport
import Support
import Synchronization
import Testing

@testable import Agent

@Suite struct FolderSourceTests {
    /// A folder whose files hold one pod each, named by the file's text. What is gone is gone at once.
    private func folder(_ scratch: ScratchFolder) throws -> FolderSource {
        try FolderSource(scratch.path, wait: .none) { bytes, _ in
            ManifestFile(objects: [.pod(Fixtures.pod(String(decoding: bytes, as: UTF8.self), nil))])
        }
    }

    /// What a source has reported so far.
    private final class Reader {
        let folder: FolderSource
        private(set) var store = ObjectStore(onRefused: .isolate)

        init(_ folder: FolderSource) { self.folder = folder }

        /// The pods in force after another look.
        func names() -> [String] {
            _ = store.take(folder.changes())
            return store.objects.pods.map(\.metadata.name).sorted()
        }
    }

    @Test("only visible yaml, yml and json files count, in subfolders too")
    func selection() throws {
        let scratch = try ScratchFolder()
        try scratch.folder("sub/deep")
        try scratch.folder(".git")
        for name in ["a.yaml", "b.yml", "c.json", "sub/deep/d.yaml", ".e.yaml", "f.yaml~", "g.txt", ".git/h.yaml"] {
            try scratch.write(name, name)
        }
        #expect(try Reader(folder(scratch)).names() == ["a.yaml", "b.yml", "c.json", "sub/deep/d.yaml"])
    }

    @Test("every way of changing a folder is reported and seen")
    func changes() async throws {
        let scratch = try ScratchFolder()
        let folder = try folder(scratch)
        let reader = Reader(folder)
        let count = Mutex(0)
        try folder.watch { count.withLock { $0 += 1 } }
        func expect(_ wanted: [String], _ what: Comment, _ change: () throws -> Void) async throws {
            let before = count.withLock { $0 }
            try change()
            #expect(await eventually { count.withLock { $0 } > before }, what)
            #expect(await eventually { reader.names() == wanted }, what)
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
        let reader = Reader(folder)
        let count = Mutex(0)
        try folder.watch { count.withLock { $0 += 1 } }
        #expect(reader.names() == ["one"])
        symlink("..v2", scratch.file("..data_tmp"))
        let before = count.withLock { $0 }
        rename(scratch.file("..data_tmp"), scratch.file("..data"))
        #expect(await eventually { count.withLock { $0 } > before })
        #expect(reader.names() == ["two"])
    }

    @Test("a file that is being written keeps its former content until it is closed")
    func halfWritten() async throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "whole")
        let folder = try folder(scratch)
        let reader = Reader(folder)
        try folder.watch {}
        #expect(reader.names() == ["whole"])
        let writer = try #require(FileHandle(forWritingAtPath: scratch.file("a.yaml")))
        try writer.truncate(atOffset: 0)
        try writer.write(contentsOf: Data("ha".utf8))
        // Give the watcher's thread time to hear of it, and no more than its patience: hence no suspension here.
        usleep(100_000)
        #expect(reader.names() == ["whole"])
        try writer.write(contentsOf: Data("lves".utf8))
        try writer.close()
        #expect(await eventually { reader.names() == ["halves"] })
    }

    @Test("a folder that is gone is a condition, not an empty folder, and over when it is back")
    func gone() throws {
        let scratch = try ScratchFolder()
        try scratch.folder("m")
        try scratch.write("m/a.yaml", "one")
        let folder = try FolderSource(scratch.file("m")) { _, _ in
            ManifestFile(objects: [.pod(Fixtures.pod("one", nil))])
        }
        #expect(folder.changes().events.count == 1 + ObjectKind.allCases.count)
        rename(scratch.file("m"), scratch.file("away"))
        let gone = folder.changes()
        #expect(gone.events == [])
        #expect(gone.conditions.map(\.kind) == [.sourceUnavailable])
        rename(scratch.file("away"), scratch.file("m"))
        let back = folder.changes()
        #expect(back.events == [])
        #expect(back.conditions == [])
    }

    @Test("a folder that is not there cannot be a source")
    func missing() throws {
        let scratch = try ScratchFolder()
        #expect(throws: SystemError.self) { try FolderSource(scratch.file("m")) { _, _ in ManifestFile() } }
    }

    @Test("a folder that cannot be listed whole is a condition: nobody knows what is in force in it")
    func tooDeep() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "one")
        let folder = try folder(scratch)
        let reader = Reader(folder)
        #expect(reader.names() == ["one"])
        try scratch.folder((0..<DirectoryWalk.depthLimit).map { "\($0)" }.joined(separator: "/"))
        #expect(folder.changes().conditions.map(\.kind) == [.sourceUnavailable])
        #expect(reader.names() == ["one"])
    }

    @Test("a link that leads nowhere is a file that cannot be read, a link to a folder a warning")
    func links() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a.yaml", "one")
        symlink("nowhere", scratch.file("b.yaml"))
        symlink(".", scratch.file("loop"))
        let folder = try folder(scratch)
        #expect(Reader(folder).names() == ["one"])
        let conditions = folder.changes().conditions
        #expect(
            conditions.map { [$0.kind.rawValue, $0.subject] } == [
                ["brokenFile", scratch.file("b.yaml")], ["policyWarning", scratch.file("loop")],
            ])
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
