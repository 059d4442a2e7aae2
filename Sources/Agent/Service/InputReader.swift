import Support
import Synchronization

/// Reads one input of the agent again and again: when asked, and at its own interval. One reading at a time; what asks
/// meanwhile makes one more.
final class InputReader: Sendable {
    /// Names a wish to read.
    struct Ticket: Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var asked: UInt64 = 0
        /// Everything asked up to here has been read.
        var read: UInt64 = 0
        /// When the reading at hand began; `nil` when there is none.
        var began: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let bell = Doorbell()
    private let interval: Duration?

    /// A reader that nobody has asked. With `interval`, it also reads on its own so often.
    init(every interval: Duration?) { self.interval = interval }

    /// Asks for a reading that begins after this call.
    @discardableResult
    func ask() -> Ticket {
        let number = state.withLock { state in
            state.asked += 1
            return state.asked
        }
        bell.ring()
        return Ticket(number: number)
    }

    /// Whether a reading that began after the ticket's call is done, and has been taken over.
    func isDone(_ ticket: Ticket) -> Bool { state.withLock { $0.read >= ticket.number } }

    /// Whether nothing asked for is outstanding.
    var isQuiet: Bool { state.withLock { $0.read == $0.asked } }

    /// When the reading at hand began; `nil` when there is none.
    var busySince: ContinuousClock.Instant? { state.withLock(\.began) }

    /// Reads until the task is cancelled.
    func run(_ read: @Sendable () async -> Void) async {
        await withDiscardingTaskGroup { group in
            if let interval {
                group.addTask {
                    while (try? await Task.sleep(for: interval)) != nil { self.ask() }
                }
            }
            for await _ in bell.rings {
                let asked = state.withLock { state in
                    state.began = .now
                    return state.asked
                }
                await read()
                state.withLock { state in
                    state.read = asked
                    state.began = nil
                }
            }
            group.cancelAll()
        }
    }
}
