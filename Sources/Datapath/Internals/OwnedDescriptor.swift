import Glibc

/// A file descriptor with one owner: closed once, at `close()` or when the owner goes.
final class OwnedDescriptor {
    private(set) var rawValue: Int32

    init(_ rawValue: Int32) { self.rawValue = rawValue }

    func close() {
        guard rawValue >= 0 else { return }
        // Linux closes the descriptor even when close() reports EINTR; retrying could close somebody else's.
        _ = Glibc.close(rawValue)
        rawValue = -1
    }

    deinit { close() }
}

extension Libbpf {
    /// A second descriptor of the same object, so that lifetimes are independent.
    static func duplicate(_ fd: Int32, _ object: String) throws(BPFError) -> OwnedDescriptor {
        OwnedDescriptor(try call(.queryInfo, object) { fcntl(fd, F_DUPFD_CLOEXEC, 3) })
    }
}
