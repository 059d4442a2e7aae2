public import SystemPackage

/// What makes two paths the same file.
public struct FileIdentity: Hashable, Sendable {
    /// Number of the file system.
    public let device: UInt64
    /// Number of the file in it.
    public let inode: UInt64

    /// An identity from its parts.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// The identity of a file of which this is known.
    public init(_ status: Stat) {
        device = UInt64(status.deviceID.rawValue)
        inode = UInt64(status.inode.rawValue)
    }

    /// The identity of what a path leads to, links followed.
    public init(of path: String) throws(Errno) { self.init(try Stat(FilePath(path))) }
}
