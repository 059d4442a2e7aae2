import Datapath
import Glibc

/// Moves the whole process into another network namespace.
enum NamespaceEntry {
    /// Set for the second run, so that a namespace that cannot be entered is an error and not a loop.
    private static let mark = "NETPOLD_ENTERED"

    /// Enters the namespace at `path`, if the process is not there already, by starting the program anew inside it: a
    /// namespace belongs to a thread, and the runtime's threads exist before any command runs. Does not return then.
    static func enter(_ path: String) throws {
        guard identity(path) != identity("/proc/thread-self/ns/net") else { return }
        guard getenv(mark) == nil else { throw EntryFailure(path: path, reason: "is not where this process is now") }
        try NetworkNamespace(path: path).enter()
        setenv(mark, "1", 1)
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        throw EntryFailure(path: path, reason: "netpold cannot be started there: \(String(cString: strerror(errno)))")
    }

    private static func identity(_ path: String) -> [UInt64] {
        var status = stat()
        return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : []
    }
}

/// The namespace could not be entered.
struct EntryFailure: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "network namespace \(path): \(reason)" }
}
