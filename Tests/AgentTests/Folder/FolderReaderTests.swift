import Foundation
import Glibc
import NetpoldTestSupport
import PolicyAPI
import Support
import Testing

@testable import Agent

/// Real files: what a folder may hold besides manifests, and what happens to it while it is read.
@Suite struct FolderReaderTests {
    private func source(_ scratch: ScratchFolder, copies: String? = nil) throws -> FolderSource {
        try FolderSource(scratch.file("m"), lastGood: copies.map { try LastGoodFiles(folder: scratch.file($0)) })
    }

    private func scratch(_ files: [String: String] = ["a.yaml": TrackedFolder.policy("a")]) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.folder("m")
        for (name, text) in files { try scratch.write("m/\(name)", text) }
        return scratch
    }

    /// What a batch brings into force, by name.
    private func names(_ batch: ObjectBatch) -> [String] {
        batch.events.compactMap { if case .upsert(let object, _) = $0 { object.key.name } else { nil } }.sorted()
    }

    private func deletions(_ batch: ObjectBatch) -> [String] {
        batch.events.compactMap { if case .delete(let key) = $0 { key.name } else { nil } }
    }

    @Test("pipes, sockets, devices, loops, odd names and files without end are conditions, and nothing waits for them")
    func hostile() throws {
        let scratch = try scratch()
        mkfifo(scratch.file("m/pipe.yaml"), 0o600)
        let socket = try LocalServer(path: scratch.file("m/socket.yaml"))
        defer { socket.stop() }
        symlink("/dev/zero", scratch.file("m/zero.yaml"))
        symlink("self.yaml", scratch.file("m/self.yaml"))
        symlink("..", scratch.file("m/up"))
        try scratch.write("m/huge.yaml", "")
        truncate(scratch.file("m/huge.yaml"), off_t(DocumentLimits.bytes) + 1)
        try scratch.write("m/new\nline.yaml", "spec: [")
        let name = Array(scratch.file("m/\u{fffd}.yaml").utf8).flatMap {
            $0 == 0xef ? [] : $0 == 0xbf || $0 == 0xbd ? [0xff] : [$0]
        }
        let odd = open((name + [0]).map { CChar(bitPattern: $0) }, O_CREAT | O_WRONLY, 0o600)
        #expect(odd >= 0)
        close(odd)
        try scratch.folder("m/" + (0..<40).map { "d\($0)" }.joined(separator: "/"))
        let began = ContinuousClock().now
        let batch = try source(scratch).changes()
        #expect(began.duration(to: .now) < .seconds(20))
        #expect(names(batch) == ["a"])
        let subjects = batch.conditions.filter(\.isSevere).map {
            String($0.subject.dropFirst(scratch.file("m/").count))
        }
        #expect(
            Set(subjects).isSuperset(of: [
                "pipe.yaml", "socket.yaml", "zero.yaml", "self.yaml", "huge.yaml", "new\\u{a}line.yaml",
            ]), "\(subjects)")
        #expect(subjects.contains { $0.contains("\u{fffd}") })
        #expect(subjects.contains { $0.hasPrefix("d0/d1/") })
        #expect(batch.conditions.contains { $0.kind == .policyWarning && $0.subject.hasSuffix("/up") })
        #expect(batch.conditions.allSatisfy { !$0.subject.contains("\n") })
    }

    @Test("a file that becomes a pipe between the look and the read is not waited for")
    func becomesPipe() throws {
        let scratch = try scratch()
        mkfifo(scratch.file("m/p.yaml"), 0o600)
        #expect(throws: SystemError.self) { try FileContent.readRegular(scratch.file("m/p.yaml"), limit: 10) }
    }

    @Test("a folder with more bytes than are read keeps what it had, and says which files are not read")
    func tooMuch() throws {
        let scratch = try scratch()
        var reader = FolderReader(scratch.file("m"), byteLimit: 1000) { ManifestFile(decoding: $0, file: $1) }
        var tracker = FolderTracker()
        _ = tracker.absorb(try reader.read(FolderWatcher.Activity()), at: .zero)
        for index in 0..<9 { try scratch.write("m/\(index).yaml", TrackedFolder.policy("p\(index)")) }
        try scratch.write("m/a.yaml", TrackedFolder.policy("a", app: "b"))
        let outcome = tracker.absorb(try reader.read(FolderWatcher.Activity()), at: .zero)
        let taken = 1000 / TrackedFolder.policy("p0").utf8.count
        #expect(outcome.events.count == taken)
        #expect(tracker.kept.map(\.name) == ["a"])
        let broken = tracker.conditions.filter { $0.kind == .brokenFile }
        #expect(broken.count == 10 - taken)
        #expect(broken.allSatisfy { $0.message.contains("more than 1000 bytes together") })
    }

    @Test(
        "a ConfigMap whose link swaps is one change, also if objects go from one file to another; an old one that goes is a deletion"
    )
    func configMap() throws {
        let scratch = try ScratchFolder()
        try scratch.folder("m/..v1")
        try scratch.folder("m/..v2")
        try scratch.write("m/..v1/a.yaml", TrackedFolder.policies("a", "b"))
        try scratch.write("m/..v1/b.yaml", TrackedFolder.policies("c"))
        try scratch.write("m/..v2/a.yaml", TrackedFolder.policies("a"))
        try scratch.write("m/..v2/b.yaml", TrackedFolder.policies("c", "b"))
        symlink("..v1", scratch.file("m/..data"))
        for name in ["a", "b"] { symlink("..data/\(name).yaml", scratch.file("m/\(name).yaml")) }
        let source = try source(scratch)
        #expect(names(source.changes()) == ["a", "b", "c"])
        symlink("..v2", scratch.file("m/..data_tmp"))
        rename(scratch.file("m/..data_tmp"), scratch.file("m/..data"))
        let batch = source.changes()
        #expect(deletions(batch) == [])
        #expect(batch.conditions == [])
        #expect(!batch.isSettling)
        // The next version has no file b: its link dangles for a moment, then goes.
        try scratch.folder("m/..v3")
        try scratch.write("m/..v3/a.yaml", TrackedFolder.policies("a"))
        symlink("..v3", scratch.file("m/..data_tmp"))
        rename(scratch.file("m/..data_tmp"), scratch.file("m/..data"))
        #expect(deletions(source.changes()) == [])
        unlink(scratch.file("m/b.yaml"))
        #expect(source.changes().isSettling)
        usleep(2_050_000)
        #expect(deletions(source.changes()) == ["b", "c"])
    }

    @Test("a folder reports by itself when a wait is over")
    func reports() async throws {
        let scratch = try scratch(["a.yaml": TrackedFolder.policy("a"), "b.yaml": TrackedFolder.policy("b")])
        let source = try source(scratch)
        #expect(names(source.changes()) == ["a", "b"])
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        try source.watch { continuation.yield() }
        unlink(scratch.file("m/b.yaml"))
        let began = ContinuousClock().now
        for await _ in stream where deletions(source.changes()) == ["b"] { break }
        #expect(began.duration(to: .now) >= .milliseconds(1900))
    }

    @Test("copies are of what was accepted, go with it, and are not written when nothing changes")
    func copies() throws {
        let scratch = try scratch(["a.yaml": TrackedFolder.policy("a"), "b.yaml": TrackedFolder.policy("b")])
        var source = try source(scratch, copies: "copies")
        _ = source.changes()
        func times() throws -> [String: FileVersion] {
            var times: [String: FileVersion] = [:]
            for name in try FolderNames.read(scratch.file("copies")) {
                times[name] = FileVersion(of: scratch.file("copies/\(name)"))
            }
            return times
        }
        let before = try times()
        #expect(before.count == 2)
        try scratch.write("m/a.yaml", "spec: [")
        try scratch.write("m/b.yaml", "")
        #expect(source.changes().conditions.map(\.kind) == [.brokenFile, .shrunkFile])
        #expect(try times() == before)
        source = try self.source(scratch, copies: "copies")
        #expect(names(source.changes()) == ["a", "b"])
        #expect(try times() == before)
        unlink(scratch.file("m/b.yaml"))
        _ = source.changes()
        usleep(2_050_000)
        #expect(deletions(source.changes()) == ["b"])
        #expect(try times().count == 1)
        // Everything gone, also over a start.
        unlink(scratch.file("m/a.yaml"))
        source = try self.source(scratch, copies: "copies")
        #expect(names(source.changes()) == ["a"])
        usleep(2_050_000)
        #expect(source.changes().conditions.map(\.kind) == [.folderLost])
        #expect(source.reload(acceptEmpty: false).dropped == [])
        let accepted = source.reload(acceptEmpty: true)
        #expect(accepted.dropped.map(\.name) == ["a"])
        #expect(deletions(accepted) == ["a"])
        #expect(try times() == [:])
    }

    @Test("a folder that is gone is kept until told otherwise; one that cannot be read is kept in any case")
    func gone() throws {
        let scratch = try scratch()
        let source = try source(scratch)
        _ = source.changes()
        rename(scratch.file("m"), scratch.file("away"))
        #expect(source.reload(acceptEmpty: false).conditions.map(\.kind) == [.sourceUnavailable])
        #expect(source.reload(acceptEmpty: true).dropped.map(\.name) == ["a"])
        // A file in its place is no folder without files.
        rename(scratch.file("away"), scratch.file("m"))
        #expect(names(source.changes()) == ["a"])
    }

    @Test("a file rewritten within one tick of the clock is read again")
    func sameTick() async throws {
        let scratch = try scratch()
        let source = try source(scratch)
        _ = source.changes()
        try source.watch {}
        for round in 0..<10 {
            let name = "p\(round)"
            try scratch.write("m/a.yaml", TrackedFolder.policy(name))
            // What a coarse clock does: the same time for two writes.
            var same = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
            utimensat(AT_FDCWD, scratch.file("m/a.yaml"), &same, 0)
            #expect(await eventually { names(source.changes()).contains(name) }, "round \(round)")
        }
    }
}
