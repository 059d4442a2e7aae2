/// One line on standard error that is overwritten while work goes on; nothing where standard error is no terminal that can do that.
public struct ProgressLine {
    /// Whether somebody sees it.
    public let isShown = Terminal.error.knowsSequences
    private let begin: ContinuousClock.Instant

    /// A line.
    ///
    /// - Parameter delay: shows nothing before: what is done by then needs no progress.
    public init(delay: Duration = .zero) { begin = .now + delay }

    /// Shows a text in place of the one before, cut to the terminal's width: `\r` leads back to the begin of its last row only.
    public func show(_ text: String) {
        guard isShown, begin <= .now else { return }
        ErrorOutput.write("\r\u{1b}[K\(ProgressLine.fitting(text, columns: Terminal.error.columns))")
    }

    /// A text in one row of a terminal of so many columns, of which the last stays empty.
    static func fitting(_ text: String, columns: Int) -> String {
        let text = PrintableName.of(text)
        let room = max(1, columns - 1)
        guard text.count > room else { return text }
        return room > 3 ? String(text.prefix(room - 3)) + "..." : String(text.prefix(room))
    }

    /// Leaves the line empty.
    public func clear() {
        if isShown { ErrorOutput.write("\r\u{1b}[K") }
    }
}
