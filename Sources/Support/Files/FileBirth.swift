import CLinux

/// Which file something is, under whatever name: unlike a `FileIdentity`, which a file system gives to another file as soon
/// as the first is removed, it is never that of a later file.
public struct FileBirth: Hashable, Sendable {
    /// Which file.
    public let identity: FileIdentity
    /// When it was made, nanoseconds since 1970; 0 where the file system does not say.
    public let time: Int64

    /// A birth from its parts.
    public init(identity: FileIdentity, time: Int64) {
        self.identity = identity
        self.time = time
    }

    /// The birth of the file at `path`, links followed, whose identity is known.
    public init(of path: String, identity: FileIdentity) {
        self.init(identity: identity, time: np_birth_time(path))
    }
}
