import Glibc

/// Reads small files that somebody else writes.
enum BoundedFile {
    /// Why a file was not read.
    enum Failure: Error, Hashable {
        /// The kernel's number.
        case system(Int32)
        /// It is no regular file.
        case notRegular
        /// It has more bytes than allowed.
        case tooLarge
    }

    /// All bytes of a regular file, `limit` at most. Symbolic links are not followed; nothing blocks.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { throw .system(errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        // One byte more than allowed tells that there are more. /proc says 0 for the size of everything.
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit + 1, 16 * 1024))
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno) }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
            guard bytes.count <= limit else { throw .tooLarge }
        }
    }
}

extension BoundedFile.Failure: CustomStringConvertible {
    var description: String {
        switch self {
        case .system(let code): String(cString: strerror(code))
        case .notRegular: "not a regular file"
        case .tooLarge: "too large"
        }
    }
}
