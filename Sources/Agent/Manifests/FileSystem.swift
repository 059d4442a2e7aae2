import Glibc

/// The few system calls that reading manifests needs.
enum FileSystem {
    /// What a path leads to.
    struct Entry: Hashable {
        /// What makes two paths the same file.
        let device: UInt64
        let inode: UInt64
        let isFolder: Bool
        let isRegular: Bool
    }

    /// What a path leads to, links followed.
    static func entry(_ path: String) throws(FileFailure) -> Entry {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("stat", path) }
        let kind = status.st_mode & S_IFMT
        return Entry(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), isFolder: kind == S_IFDIR,
            isRegular: kind == S_IFREG)
    }

    /// The names in a folder, sorted by their bytes.
    static func names(in folder: String) throws(FileFailure) -> [String] {
        guard let stream = opendir(folder) else { throw failure("opendir", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(stream) else {
                if Glibc.errno != 0 { throw failure("readdir", folder) }
                break
            }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// At most `limit` bytes of a file; `-` is standard input.
    static func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        let isInput = path == "-"
        let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { if !isInput { close(descriptor) } }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &block, min(block.count, limit - bytes.count))
            if count < 0 {
                if Glibc.errno == EINTR { continue }
                throw failure("read", path)
            }
            if count == 0 { break }
            bytes += block[..<count]
        }
        return bytes
    }

    private static func failure(_ operation: String, _ path: String) -> FileFailure {
        let number = Glibc.errno
        return FileFailure(operation: operation, path: path, errno: number, reason: String(cString: strerror(number)))
    }
}
