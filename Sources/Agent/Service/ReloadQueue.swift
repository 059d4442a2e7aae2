import Synchronization

/// Those who want a source read as a whole again, and wait for what that finds. The source's reader serves them, so that a
/// reload keeps its place among the other readings.
final class ReloadQueue: Sendable {
    /// Somebody who waits.
    struct Reload: Sendable {
        let acceptEmpty: Bool
        fileprivate let answer: CheckedContinuation<ObjectBatch?, Never>

        /// Ends the wait.
        func finish(_ batch: ObjectBatch?) { answer.resume(returning: batch) }
    }

    private struct State {
        var waiting: [Reload] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Waits for a reload that begins after this call; `ask` wakes the reader. `nil` when the reader has ended.
    func wait(acceptEmpty: Bool, _ ask: () -> Void) async -> ObjectBatch? {
        await withCheckedContinuation { answer in
            let reload = Reload(acceptEmpty: acceptEmpty, answer: answer)
            let isClosed = state.withLock { state in
                if !state.isClosed { state.waiting.append(reload) }
                return state.isClosed
            }
            if isClosed { reload.finish(nil) } else { ask() }
        }
    }

    /// Takes over those who wait.
    func take() -> [Reload] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Nobody is served any more.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for reload in left { reload.finish(nil) }
    }
}
