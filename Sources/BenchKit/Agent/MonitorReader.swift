import Agent
import Foundation
import Synchronization

/// An open monitor that reads what it gets and counts it.
final class MonitorReader: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let counts = Mutex<(shown: UInt64, lost: UInt64)>((0, 0))
    private let ended = DispatchSemaphore(value: 0)

    /// Begins to watch everything.
    init(socket: String) throws {
        let opened = try LocalClient(path: socket)
        try opened.send(.monitor(MonitorFilter()))
        // Handed over: only the thread uses it from here on.
        nonisolated(unsafe) let client = opened
        Thread.detachNewThread { [self] in
            while !isStopped.load(ordering: .relaxed) {
                // Nothing within the time is no end.
                guard let reply = try? client.next(timeout: .milliseconds(100)) else { continue }
                counts.withLock { counts in
                    if case .verdict = reply { counts.shown += 1 }
                    if case .lost(let more) = reply { counts.lost += more }
                }
            }
            ended.signal()
        }
    }

    /// Hangs up; answers how many verdicts came, and of how many it was told that they did not.
    func stop() -> (shown: UInt64, lost: UInt64) {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
        return counts.withLock(\.self)
    }
}
