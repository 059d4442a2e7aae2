import ArgumentParser
// For stdout, which C declares as a variable.
@preconcurrency import Glibc
import Support

/// What was printed, until it is written.
enum StandardOutput {
    /// Writes what is left of it.
    ///
    /// - Throws: exit code 3, after saying so, when it cannot be written: an answer that nobody gets is none.
    static func finish() throws {
        errno = 0
        guard fflush(nil) != 0 || ferror(stdout) != 0 else { return }
        let reason = errno == 0 ? "not all of it was" : String(cString: strerror(errno))
        ErrorOutput.error("standard output cannot be written: \(reason)")
        throw ExitCode.machine
    }
}
