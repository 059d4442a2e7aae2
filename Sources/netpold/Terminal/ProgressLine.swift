import Glibc

/// One line on standard error that is overwritten while work goes on; nothing where standard error is no terminal.
struct ProgressLine {
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        if isShown { ErrorOutput.write("\r\u{1b}[K\(text)") }
    }

    func clear() {
        if isShown { ErrorOutput.write("\r\u{1b}[K") }
    }
}
