import Glibc
import SystemPackage

/// Writes to standard error.
public enum ErrorOutput {
    /// Writes text as it is. Where nobody takes it, it is lost.
    public static func write(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    }

    /// Writes a line that says what went wrong, after what was printed before: both may go to one file or terminal.
    public static func error(_ message: String) {
        fflush(nil)
        write("error: \(message)\n")
    }
}
