import Foundation
import Glibc

/// Shows on standard error how far work is: a bar on a terminal, otherwise a line now and then.
final class LabProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let title: String
    private let total: Int
    private let clock = ContinuousClock()
    private let begin: ContinuousClock.Instant
    private var lastShown: ContinuousClock.Instant

    /// Progress of work in `total` steps. Nothing is shown before the first second on a stream that is no terminal.
    init(_ title: String, of total: Int) {
        self.title = title
        self.total = total
        begin = clock.now
        lastShown = begin
    }

    /// So many steps are done.
    func show(_ done: Int) {
        let now = clock.now
        guard now - lastShown >= (isTerminal ? .milliseconds(80) : .seconds(1)) else { return }
        lastShown = now
        guard isTerminal else {
            return ErrorOutput.write("\(title): \(done) of \(total)\n")
        }
        let width = 30
        let filled = total == 0 ? width : done * width / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        ErrorOutput.write("\r\u{1b}[K\(title) \(bar) \(done)/\(total)")
    }

    /// The work is over.
    func finish() {
        if isTerminal { ErrorOutput.write("\r\u{1b}[K") }
    }
}
