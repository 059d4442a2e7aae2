import Glibc
import Support
import SystemPackage

/// Socket calls with the path of a unix socket.
enum UnixAddress {
    /// Longest path the kernel takes.
    static let pathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// A stream socket that a child process does not inherit.
    static func socket(for path: String) throws(SystemError) -> OwnedDescriptor {
        guard path.utf8.count <= pathLimit, !path.isEmpty else {
            throw SystemError(
                "open socket", path, .fileNameTooLong, hint: "a socket's path has 1 to \(pathLimit) bytes")
        }
        let descriptor = try SystemError.check("open socket", path) {
            Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        return OwnedDescriptor(rawValue: descriptor)
    }

    /// Calls `body` (bind or connect) with the address of `path`.
    static func with(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            buffer.copyBytes(from: path.utf8.prefix(pathLimit))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
