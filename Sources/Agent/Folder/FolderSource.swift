import Dispatch
import PolicyAPI
public import Support
import Synchronization

/// A folder of manifests as a source of objects: reads it (`FolderReader`), and reports what of it is in force
/// (`FolderTracker`).
public final class FolderSource: ObjectSource {
    private struct State {
        var reader: FolderReader
        var tracker: FolderTracker
        var hasSynced = false
        /// Whether the folder could not be read last time: nothing is known of the time since.
        var isAfterGap = false
        var changed: (@Sendable () -> Void)?
        /// When the next look is asked for already, since `start`.
        var scheduled: Duration?
    }

    /// The folder's path.
    public let id: ObjectSourceID
    private let state: Mutex<State>
    private let watcher: FolderWatcher
    private let lastGood: LastGoodFiles?
    private let start = ContinuousClock().now

    /// The folder at `root`.
    ///
    /// - Parameters:
    ///   - root: the folder's path; also the id of the source.
    ///   - lastGood: copies of what an agent before this one had accepted, to begin with; kept up to date.
    ///   - wait: how long what is gone stays in force.
    ///   - decode: decodes the bytes of one file; it never fails but answers what is unreadable.
    /// - Throws: when the folder cannot be listed or watched.
    public init(
        _ root: String, lastGood: LastGoodFiles? = nil, wait: DeletionWait = .standard,
        decode: @escaping @Sendable (_ bytes: [UInt8], _ file: String) -> ManifestFile = {
            ManifestFile(decoding: $0, file: $1)
        }
    ) throws(SystemError) {
        self.id = ObjectSourceID(root)
        self.lastGood = lastGood
        self.state = Mutex(
            State(
                reader: FolderReader(root, decode: decode),
                tracker: FolderTracker(remembered: lastGood?.load() ?? [:], wait: wait)))
        self.watcher = try FolderWatcher(root)
    }

    /// Reads what changed since the last call.
    public func changes() -> ObjectBatch {
        state.withLock { look(&$0, everything: false, acceptsLoss: false) }
    }

    /// Reads everything again. With `acceptEmpty` what the folder does not hold any more, as far as it can be read, is taken to
    /// be meant.
    public func reload(acceptEmpty: Bool) -> ObjectBatch {
        state.withLock { look(&$0, everything: true, acceptsLoss: acceptEmpty) }
    }

    /// Starts to report changes.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws {
        state.withLock { state in
            state.changed = changed
            schedule(&state)
        }
        try watcher.start(changed)
    }

    private func look(_ state: inout State, everything: Bool, acceptsLoss: Bool) -> ObjectBatch {
        var reading: FolderReading
        var conditions: [Condition] = []
        do throws(SystemError) {
            reading = try state.reader.read(watcher.takeActivity(), everything: everything)
            reading.isAfterGap = state.isAfterGap
            state.isAfterGap = false
        } catch {
            state.isAfterGap = true
            let isGone = error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory
            conditions.append(FolderSource.unavailable("manifests", "\(error)"))
            guard acceptsLoss, isGone else { return batch(state, [], conditions) }
            reading = FolderReading()
        }
        for (folder, why) in reading.unseen {
            conditions.append(FolderSource.unavailable(PrintableName.of(folder), why))
        }
        let outcome = state.tracker.absorb(reading, at: start.duration(to: .now), acceptsLoss: acceptsLoss)
        var events = outcome.events
        if !state.hasSynced {
            state.hasSynced = true
            events += ObjectKind.allCases.map(ObjectEvent.synced)
        }
        do throws(SystemError) {
            try lastGood?.save(state.tracker.copies)
        } catch {
            conditions.append(
                Condition(
                    kind: .copiesUnwritten, subject: "manifests",
                    message: "\(error); a restart while files are broken would not know what they held"))
        }
        schedule(&state)
        return batch(state, events, conditions, dropped: outcome.dropped)
    }

    private func batch(
        _ state: State, _ events: [ObjectEvent], _ conditions: [Condition], dropped: [ObjectKey] = []
    ) -> ObjectBatch {
        var batch = ObjectBatch(source: id, events: events, conditions: state.tracker.conditions + conditions)
        batch.isSettling = state.tracker.due != nil && !state.isAfterGap
        batch.dropped = dropped
        batch.kept = state.tracker.kept
        return batch
    }

    /// Asks for another look when the tracker's next wait is over.
    private func schedule(_ state: inout State) {
        guard let changed = state.changed, let due = state.tracker.due else { return }
        let now = start.duration(to: .now)
        if let scheduled = state.scheduled, scheduled > now, scheduled <= due { return }
        state.scheduled = due
        let delay = max(due - now, .zero) / .milliseconds(1)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(delay) + 1), execute: changed)
    }

    private static func unavailable(_ subject: String, _ why: String) -> Condition {
        Condition(kind: .sourceUnavailable, subject: subject, message: "\(why); everything last read stays in force")
    }
}
