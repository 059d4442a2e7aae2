import Glibc
import Support
import SystemPackage

/// Says in a file which rules the proxy has in force: whoever starts it waits for the file, and the agent for the revision.
struct ProxyState {
    /// The file's path.
    let path: String

    /// Writes the file whole: `{"pid":1,"revision":2}`.
    func write(revision: UInt64) throws(SystemError) {
        let temporary = "\(path).new"
        let text = "{\"pid\":\(getpid()),\"revision\":\(revision)}\n"
        try SystemError.wrap("write", temporary) {
            let file = try FileDescriptor.open(
                FilePath(temporary), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
        }
        try SystemError.check("rename to", path) { rename(temporary, path) }
    }

    /// Removes the file: nobody serves any more.
    func remove() { unlink(path) }
}
