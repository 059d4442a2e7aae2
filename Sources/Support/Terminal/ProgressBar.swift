/// Shows on standard error how far work is: a bar on a terminal, otherwise a line now and then.
public final class ProgressBar {
    private let isTerminal = Terminal.error.knowsSequences
    private let line = ProgressLine()
    private let title: String
    private let total: Int
    private let clock = ContinuousClock()
    private var lastShown: ContinuousClock.Instant

    /// Progress of work in `total` steps. Nothing is shown before the first second on a stream that is not a terminal.
    public init(_ title: String, of total: Int) {
        self.title = title
        self.total = total
        lastShown = clock.now
    }

    /// So many steps are done.
    public func show(_ done: Int) {
        let now = clock.now
        guard now - lastShown >= (isTerminal ? .milliseconds(80) : .seconds(1)) else { return }
        lastShown = now
        guard isTerminal else { return ErrorOutput.write("\(title): \(done) of \(total)\n") }
        let width = 30
        let filled = total == 0 ? width : done * width / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        line.show("\(title) \(bar) \(done)/\(total)")
    }

    /// The work is over.
    public func finish() { line.clear() }
}
