import Glibc
import SystemPackage

/// Keeps a second process away from what a file or folder stands for. The kernel lets go when the process ends, however
/// it ends.
public final class FileLock: Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// Takes the lock at `path`.
    ///
    /// - Parameters:
    ///   - path: the file or folder that is locked.
    ///   - isFolder: whether `path` is a folder, which must be there. A file is made where there is none.
    ///   - busy: what is said when another process holds it.
    /// - Throws: with `EWOULDBLOCK` when another process holds it.
    public init(_ path: String, isFolder: Bool = false, busy: String = "") throws(SystemError) {
        self.path = path
        while true {
            let opened = try SystemError.wrap("open lock", path) {
                isFolder
                    ? try OwnedDescriptor(opening: path, .readOnly, options: .directory)
                    : try OwnedDescriptor(
                        opening: path, .readWrite, options: .create, permissions: .ownerReadWrite)
            }
            do throws(SystemError) {
                try SystemError.check("lock", path) { opened.use { flock($0.rawValue, LOCK_EX | LOCK_NB) } }
            } catch {
                throw SystemError(
                    error.operation, path, error.errno, hint: error.errno == .wouldBlock ? busy : "")
            }
            // Who held it before may have removed the file between our open and our lock.
            let isSame = opened.use { try? FileIdentity(Stat($0)) } == (try? FileIdentity(of: path))
            if isSame {
                descriptor = opened
                return
            }
        }
    }

    deinit {
        // A program that another thread starts has a copy of the descriptor from fork to exec, close-on-exec or not:
        // a close alone would leave the lock there for these moments. `LOCK_UN` ends it whoever has copies.
        descriptor.use { _ = flock($0.rawValue, LOCK_UN) }
    }

    /// Removes the lock file; it is held until the end all the same.
    public func remove() { unlink(path) }
}
