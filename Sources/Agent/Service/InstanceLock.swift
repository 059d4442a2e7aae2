import Glibc

/// Keeps a second agent of the same instance from running. The kernel lets go when the process ends, however it ends.
public final class InstanceLock: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock file at `path`.
    ///
    /// - Throws: with `EWOULDBLOCK` when another process holds it.
    public init(path: String) throws(SystemFailure) {
        self.path = path
        while true {
            let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard opened >= 0 else { throw SystemFailure("open lock", path) }
            guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(opened)
                throw SystemFailure(
                    "lock", path, code: code,
                    hint: code == EWOULDBLOCK
                        ? "an agent of this instance is running already; stop it, or choose another --instance" : "")
            }
            // Who held it before may have removed the file between our open and our lock.
            if InstanceLock.isSame(opened, path) {
                descriptor = opened
                return
            }
            close(opened)
        }
    }

    /// Removes the lock file; it is held until the end all the same.
    public func remove() { unlink(path) }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var there = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &there) == 0
            && held.st_dev == there.st_dev && held.st_ino == there.st_ino
    }

    deinit { close(descriptor) }
}
