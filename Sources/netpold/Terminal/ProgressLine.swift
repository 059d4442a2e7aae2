import Glibc

/// One line on standard error that is overwritten while work goes on; nothing where standard error is no terminal.
struct ProgressLine {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let begin: ContinuousClock.Instant

    /// - Parameter delay: shows nothing before: what is done by then needs no progress.
    init(delay: Duration = .zero) { begin = .now + delay }

    func show(_ text: String) {
        if isShown, begin <= .now { ErrorOutput.write("\r\u{1b}[K\(text)") }
    }

    func clear() {
        if isShown { ErrorOutput.write("\r\u{1b}[K") }
    }
}
