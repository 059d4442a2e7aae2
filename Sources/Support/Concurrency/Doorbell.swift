/// Wakes one waiting task: rings in between are one ring.
public struct Doorbell: Sendable {
    /// What was rung; ends when the task that waits for it is cancelled.
    public let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// A bell that nobody has rung.
    public init() {
        (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Wakes whoever waits, or will.
    public func ring() { continuation.yield() }

    /// Ends `rings`.
    public func remove() { continuation.finish() }
}
