import Glibc
import Synchronization
import SystemPackage

/// Writes to standard error.
public enum ErrorOutput {
    /// Writes text as it is. Where nobody takes it, it is lost.
    public static func write(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    }

    private static let last = Mutex<String?>(nil)

    /// What was said last to have gone wrong; `nil` where nothing was.
    public static var lastError: String? { last.withLock { $0 } }

    /// Notes what went wrong for `lastError`, where another way than a line says it.
    public static func note(_ message: String) { last.withLock { $0 = message } }

    /// Writes a line that says what went wrong, after what was printed before: both may go to one file or terminal.
    public static func error(_ message: String) {
        fflush(nil)
        note(message)
        write("error: \(message)\n")
    }
}
