import Glibc
public import Support
import SystemPackage

/// The manifest files below a folder, and the folders to watch for them.
///
/// Symbolic links are followed, so a mounted ConfigMap (`a.yaml -> ..data/a.yaml`, `..data -> ..2026_01`) is seen through
/// its visible names. Names that begin with a dot are left out, as are editors' backups: only `.yaml`, `.yml` and `.json`
/// count.
public struct FolderListing: Sendable {
    /// A file and what tells its versions apart.
    public struct Version: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var modified: Int64
        var changed: Int64
    }

    /// Folders nested deeper are an error: a link that leads back up, most likely.
    static let depthLimit = 32

    /// Files by path.
    public private(set) var files: [String: Version] = [:]
    /// Folders, the given one first.
    public private(set) var folders: [String] = []

    /// Lists a folder.
    ///
    /// - Throws: when a folder cannot be read or the nesting is too deep. A file or folder that vanishes meanwhile is not
    ///   there, but the given folder must be.
    public init(_ root: String) throws(SystemError) {
        try visit(root, depth: 0)
    }

    /// The version of the file a path leads to; `nil` when it is not there or not a regular file.
    static func version(of path: String) -> Version? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return version(status)
    }

    private static func version(_ status: stat) -> Version {
        Version(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    private mutating func visit(_ folder: String, depth: Int) throws(SystemError) {
        guard depth <= FolderListing.depthLimit else {
            throw SystemError(
                "list", folder, .tooManySymbolicLinkLevels,
                hint: "folders may be nested \(FolderListing.depthLimit) deep")
        }
        guard let handle = opendir(folder) else {
            if depth > 0, errno == ENOENT || errno == ENOTDIR { return }
            throw SystemError("list", folder, .current)
        }
        defer { closedir(handle) }
        folders.append(folder)
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        for name in names.sorted() {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try visit(path, depth: depth + 1)
            case S_IFREG where FolderListing.isManifest(name): files[path] = FolderListing.version(status)
            default: continue
            }
        }
    }

    private static func isManifest(_ name: String) -> Bool {
        name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json")
    }
}
