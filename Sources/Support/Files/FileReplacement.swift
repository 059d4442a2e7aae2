import Glibc
public import SystemPackage

extension FileContent {
    /// Puts bytes in the place of a file in one step: readers find the file before or this one, and each is whole. Nothing is forced
    /// to a disk.
    ///
    /// - Parameters:
    ///   - path: the file, which need not exist.
    ///   - bytes: what it will hold.
    ///   - draft: where the bytes are written before, in the same file system; `nil`: beside the file, with `.new` at its end.
    ///   - permissions: who may read and write it, whatever the umask is.
    /// - Throws: when the draft cannot be written, or not be renamed.
    public static func replace(
        _ path: String, with bytes: some Sequence<UInt8>, draft: String? = nil,
        permissions: FilePermissions = .ownerReadWrite
    ) throws(SystemError) {
        let draft = draft ?? "\(path).new"
        try SystemError.wrap("write", draft) {
            let file = try OwnedDescriptor(
                opening: draft, .writeOnly, options: [.create, .truncate, .noFollow], permissions: permissions)
            try file.use {
                _ = try $0.writeAll(bytes)
                // The umask has its say in new files only, and a draft that was left here has its own mode.
                guard fchmod($0.rawValue, permissions.rawValue) == 0 else { throw Errno.current }
            }
        }
        try SystemError.check("write", path) { rename(draft, path) }
    }
}
