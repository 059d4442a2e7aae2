import Foundation
import Support
import SystemPackage
import Testing

@Suite("Locks")
struct FileLockTests {
    @Test(
        "a second holder is refused with the text given, and let in when the first is gone", arguments: [true, false])
    func exclusive(isFolder: Bool) throws {
        let scratch = try Scratch()
        let path = isFolder ? scratch.path : scratch.file("lock")
        var first: FileLock? = try FileLock(path, isFolder: isFolder)
        let error = #expect(throws: SystemError.self) { try FileLock(path, isFolder: isFolder, busy: "try later") }
        #expect(error?.errno == .wouldBlock)
        #expect(error?.hint == "try later")
        withExtendedLifetime(first) {}
        first = nil
        _ = try FileLock(path, isFolder: isFolder)
    }

    @Test("a lock file that its holder removed keeps nobody away: the next one makes its own")
    func removed() throws {
        let scratch = try Scratch()
        let path = scratch.file("lock")
        let first = try FileLock(path)
        first.remove()
        let second = try FileLock(path)
        #expect(throws: SystemError.self) { try FileLock(path) }
        withExtendedLifetime((first, second)) {}
    }

    @Test("a copy of the descriptor, as a program that is being started has one up to exec, keeps no lock")
    func copied() throws {
        let scratch = try Scratch()
        let path = scratch.file("lock")
        var first: FileLock? = try FileLock(path)
        let copies = try openDescriptors(of: path).map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
        defer { for copy in copies { close(copy) } }
        #expect(copies.count == 1)
        withExtendedLifetime(first) {}
        first = nil
        _ = try FileLock(path)
    }

    /// This process's open descriptors of a file.
    private func openDescriptors(of path: String) throws -> [Int32] {
        let folder = "/proc/self/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap(Int32.init).filter {
            // Descriptors of other threads come and go.
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == path
        }
    }

    @Test("a folder that is not there is an error, not made")
    func missing() throws {
        let scratch = try Scratch()
        let error = #expect(throws: SystemError.self) { try FileLock(scratch.file("no/lock")) }
        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(throws: SystemError.self) { try FileLock(scratch.file("no"), isFolder: true) }
        #expect(!FileManager.default.fileExists(atPath: scratch.file("no")))
    }
}
