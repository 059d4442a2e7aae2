import ArgumentParser
// For stdout, which C declares as a variable.
@preconcurrency import Glibc
import Support

/// What was printed, until it is written.
enum StandardOutput {
    /// It could not be written, as has been said.
    struct Unwritten: Error {
        /// What the command ends with.
        let code: ExitCode
    }

    /// Writes what is left of it.
    ///
    /// - Throws: `Unwritten`: with exit code 3, after saying so, when it cannot be written, for an answer that nobody gets is none. With the
    ///   code of SIGPIPE, as if that had ended the command, when who read it has gone (`head`): a parent that ignores the signal has
    ///   children do so too.
    static func finish() throws(Unwritten) {
        // What failed when more was printed than the buffer takes.
        let earlier = ferror(stdout) == 0 ? 0 : errno
        errno = 0
        guard fflush(nil) != 0 || ferror(stdout) != 0 else { return }
        guard hasReader else { throw Unwritten(code: ExitCode(128 + SIGPIPE)) }
        let code = errno == 0 ? earlier : errno
        let reason = code == 0 ? "not all of it was" : String(cString: strerror(code))
        ErrorOutput.error("standard output cannot be written: \(reason)")
        throw Unwritten(code: .machine)
    }

    private static var hasReader: Bool {
        let code = errno
        defer { errno = code }
        var request = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) != 1 || request.revents & Int16(POLLERR) == 0
    }
}
