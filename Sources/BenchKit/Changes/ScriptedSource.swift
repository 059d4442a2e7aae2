import Agent
import BPFEmit
import Synchronization

/// A source that says what it is told to, when it is told.
final class ScriptedSource: ObjectSource {
    let id = ObjectSourceID("bench")
    private let pending: Mutex<[ObjectEvent]>
    private let changed = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ events: [ObjectEvent]) { pending = Mutex(events) }

    func say(_ event: ObjectEvent) {
        pending.withLock { $0.append(event) }
        changed.withLock { $0 }?()
    }

    func changes() -> ObjectBatch {
        ObjectBatch(
            source: id,
            events: pending.withLock { events in
                defer { events = [] }
                return events
            })
    }

    func watch(_ changed: @escaping @Sendable () -> Void) throws { self.changed.withLock { $0 = changed } }
}

/// A host on which nothing changes.
struct StillNode: NodeSource {
    let seen: HostEvidence
    func evidence() throws -> HostEvidence { seen }
    func watch(_ changed: @escaping @Sendable () -> Void) throws {}
}
