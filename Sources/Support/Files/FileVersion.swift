import Glibc
public import SystemPackage

/// What distinguishes the versions of a file without reading it.
public struct FileVersion: Hashable, Sendable {
    /// Which file.
    public let identity: FileIdentity
    /// Bytes.
    public let size: Int64
    /// Nanoseconds since 1970: of the content, and of anything.
    private let modified: Int64
    private let changed: Int64

    /// The version of a file of which this is known.
    public init(_ status: Stat) {
        identity = FileIdentity(status)
        size = status.size
        modified = FileVersion.nanoseconds(status.st_mtim)
        changed = FileVersion.nanoseconds(status.st_ctim)
    }

    /// The version of the regular file that a path leads to, links followed; `nil` when there is none.
    public init?(of path: String) {
        guard let status = try? Stat(FilePath(path)), status.type == .regular else { return nil }
        self.init(status)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
