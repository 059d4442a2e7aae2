import Datapath
import Glibc
import Support
import SystemPackage

/// Moves the whole process into another network namespace.
enum NamespaceEntry {
    /// Set for the second run, so that a namespace that cannot be entered is an error and not a loop.
    private static let mark = "NETPOLD_ENTERED"

    /// Enters the namespace at `path`, if the process is not there already, by starting the program anew inside it: a
    /// namespace belongs to a thread, and the runtime's threads exist before any command runs. Does not return then.
    static func enter(_ path: String) throws {
        let wanted = try SystemError.wrap("enter network namespace", path) { try FileIdentity(of: path) }
        guard wanted != (try? FileIdentity(of: "/proc/thread-self/ns/net")) else { return }
        guard getenv(mark) == nil else {
            throw SystemError(
                "enter network namespace", path, nil, detail: "the process was started there and is not there")
        }
        try NetworkNamespace(path: path).enter()
        setenv(mark, "1", 1)
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        throw SystemError("start netpold in network namespace", path, .current)
    }
}
