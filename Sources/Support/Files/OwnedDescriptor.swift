public import SystemPackage

/// A file descriptor with one owner: closed once, when the owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The number that C calls take, for owners that are stored somewhere: a local one may be gone, and the number closed,
    /// before the call that it was read for.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Takes an open descriptor over.
    public init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Takes over what a C call opened.
    public init(rawValue: Int32) { descriptor = FileDescriptor(rawValue: rawValue) }

    /// Opens a file. A program started later does not inherit it.
    public init(
        opening path: String, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws(Errno) {
        do {
            descriptor = try FileDescriptor.open(
                FilePath(path), mode, options: options.union(.closeOnExec), permissions: permissions)
        } catch let errno as Errno {
            throw errno
        } catch {
            // swift-system throws nothing else.
            throw .ioError
        }
    }

    /// Calls `body` with the descriptor, which stays open meanwhile; it must neither be closed nor kept.
    public borrowing func use<Result: ~Copyable>(_ body: (FileDescriptor) throws -> Result) rethrows -> Result {
        try body(descriptor)
    }

    // Linux closes the descriptor even when close() reports EINTR; retrying could close somebody else's.
    deinit { try? descriptor.close() }
}
