import Foundation

/// Writes to standard error.
enum ErrorOutput {
    /// Writes text as it is.
    static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// Writes a line that says what went wrong.
    static func error(_ message: String) { write("error: \(message)\n") }
}
