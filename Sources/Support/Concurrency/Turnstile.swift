import Synchronization

/// Lets so many in at once.
public final class Turnstile: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    /// Nobody is inside.
    public init(limit: Int) { self.limit = limit }

    /// Lets one in, if there is room; then `leave` must follow.
    public func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    /// One that was let in goes.
    public func leave() { count.withLock { $0 -= 1 } }
}
