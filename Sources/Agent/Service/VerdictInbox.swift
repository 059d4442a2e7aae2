import BPFEmit
import Synchronization

/// Records between the datapath's thread and the service: bounded, so that a flood of verdicts costs a count, not memory.
final class VerdictInbox: Sendable {
    static let limit = 65_536

    private struct Content {
        var records: [VerdictRecord] = []
        var lost: UInt64 = 0
    }

    private let content = Mutex(Content())

    /// Adds records; returns whether the inbox was empty, so that its reader must be woken.
    func add(_ records: [VerdictRecord]) -> Bool {
        content.withLock { content in
            let wasEmpty = content.records.isEmpty
            let room = VerdictInbox.limit - content.records.count
            content.records += records.prefix(room)
            content.lost += UInt64(max(0, records.count - room))
            return wasEmpty && !content.records.isEmpty
        }
    }

    /// Takes everything: the records, and how many were lost before them.
    func take() -> (records: [VerdictRecord], lost: UInt64) {
        content.withLock { content in
            defer { content = Content() }
            return (content.records, content.lost)
        }
    }
}
