/// One line on standard error that is overwritten while work goes on; nothing where standard error is not a terminal.
public struct ProgressLine {
    private let isShown = Terminal.error.isTerminal
    private let begin: ContinuousClock.Instant

    /// A line.
    ///
    /// - Parameter delay: shows nothing before: what is done by then needs no progress.
    public init(delay: Duration = .zero) { begin = .now + delay }

    /// Shows a text in place of the one before.
    public func show(_ text: String) {
        if isShown, begin <= .now { ErrorOutput.write("\r\u{1b}[K\(text)") }
    }

    /// Leaves the line empty.
    public func clear() {
        if isShown { ErrorOutput.write("\r\u{1b}[K") }
    }
}
