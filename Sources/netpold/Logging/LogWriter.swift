import Dispatch
import Foundation
import Support
import Synchronization

/// Writes lines to standard error from a thread of its own: whoever reads the log and does not keep up holds up no one. What
/// finds no room is counted, and the count is written when there is room again.
final class LogWriter: Sendable {
    /// Lines held for a slow reader.
    static let limit = 4096

    private struct State {
        var lines: [String] = []
        var lost = 0
        var isWriting = false
    }

    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)
    private let lossLine: @Sendable (Int) -> String
    private let write: @Sendable (String) -> Void

    /// A writer; `lossLine` writes the line about lines that were lost.
    init(
        write: @escaping @Sendable (String) -> Void = { ErrorOutput.write($0) },
        lossLine: @escaping @Sendable (Int) -> String
    ) {
        self.lossLine = lossLine
        self.write = write
        let thread = Thread { self.run() }
        thread.name = "netpold-log"
        thread.start()
    }

    /// Takes a line without newline; returns at once.
    func add(_ line: String) {
        let isAdded = state.withLock { state in
            guard state.lines.count < LogWriter.limit else {
                state.lost += 1
                return false
            }
            state.lines.append(line)
            return true
        }
        if isAdded { signal.signal() }
    }

    /// Waits until everything is written, at most so long: for the end of the process.
    func flush(within limit: Duration = .seconds(1)) {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while state.withLock({ !$0.lines.isEmpty || $0.isWriting }), clock.now < deadline {
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    private func run() {
        while true {
            signal.wait()
            let (lines, lost) = state.withLock { state in
                defer {
                    state.isWriting = true
                    state.lines = []
                    state.lost = 0
                }
                return (state.lines, state.lost)
            }
            let all = lost > 0 ? lines + [lossLine(lost)] : lines
            if !all.isEmpty { write(all.joined(separator: "\n") + "\n") }
            state.withLock { $0.isWriting = false }
        }
    }
}
