import Agent
import Synchronization

/// A source that notes when it last said that something came.
final class MeasuredSource: ObjectSource {
    private let source: any ObjectSource
    private let told = Mutex(ContinuousClock.now)

    init(_ source: any ObjectSource) { self.source = source }

    /// When it last said so.
    var lastTold: ContinuousClock.Instant { told.withLock(\.self) }

    var id: ObjectSourceID { source.id }
    func changes() -> ObjectBatch { source.changes() }

    func watch(_ changed: @escaping @Sendable () -> Void) throws {
        try source.watch {
            self.told.withLock { $0 = .now }
            changed()
        }
    }
}
