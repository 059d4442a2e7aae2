internal import Dispatch
internal import Foundation
internal import ProxyRules
internal import Support
internal import Synchronization

/// Keeps a `RuleSource` at what the agent's snapshot says: the file is looked at ten times a second and read when another one is in its
/// place, on a thread of its own. One that cannot be taken changes nothing: what was read before stays in force.
public final class RuleFile: Sendable {
    /// What became of a file.
    public enum Event: Sendable {
        /// Its rules are in force: the revision and the number of policies.
        case taken(revision: UInt64, policies: Int)
        /// There is none.
        case absent
        /// It cannot be read, or is no snapshot.
        case refused(String)
    }

    private struct State {
        var version: FileVersion?
        var wasAbsent = false
        /// What could not be read, and was reported: it is tried again.
        var unread: (version: FileVersion, why: String)?
        /// What was taken last: rules that stay are not compiled again when pods come and go.
        var taken: (revision: UInt64, policies: [RuleSnapshot.Policy])?
    }

    /// How often the file is looked at.
    static let interval = DispatchTimeInterval.milliseconds(100)

    /// The snapshot's path.
    public let path: String
    private let source: RuleSource
    private let pods: PodNames
    typealias Reading =
        @Sendable (_ path: String) throws(SystemError) -> (bytes: [UInt8], version: FileVersion?)
    private let read: Reading
    private let report: @Sendable (Event) -> Void
    private let queue = DispatchQueue(label: "netpold.proxy-rules")
    private let state = Mutex(State())
    // Scheduled and cancelled alone, which any thread may.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    /// A reader of a path, for the rules and for whose the pods' addresses are. `report` is called on the reader's thread, for changes alone.
    public convenience init(
        _ path: String, into source: RuleSource, pods: PodNames = PodNames(),
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.init(
            path, into: source, pods: pods,
            reading: { path throws(SystemError) in
                try FileContent.readRegular(path, limit: RuleSnapshot.largest + 1)
            }, report: report)
    }

    /// One that reads the file in its own way.
    init(
        _ path: String, into source: RuleSource, pods: PodNames = PodNames(), reading: @escaping Reading,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.path = path
        read = reading
        self.source = source
        self.pods = pods
        self.report = report
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.lookNow() }
        timer.schedule(deadline: .distantFuture)
        // At once: one that never was must not be released.
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Reads the file and goes on looking at it. Once.
    public func start() {
        queue.sync { lookNow() }
        timer.schedule(deadline: .now() + RuleFile.interval, repeating: RuleFile.interval)
    }

    /// Stops looking.
    public func stop() { timer.cancel() }

    /// Looks at once, on the reader's thread.
    public func look() { queue.async { self.lookNow() } }

    private func lookNow() {
        guard let version = FileVersion(of: path) else {
            let isNew = state.withLock { state in
                defer { (state.version, state.wasAbsent) = (nil, true) }
                return !state.wasAbsent
            }
            if isNew { report(.absent) }
            return
        }
        guard state.withLock({ $0.version != version }) else { return }
        do throws(SystemError) {
            let read = try read(path)
            // Changed while it was read: looked at again.
            guard let version = read.version else { return }
            state.withLock { ($0.version, $0.wasAbsent, $0.unread) = (version, false, nil) }
            take(read.bytes)
        } catch {
            // Of what the system refuses now (descriptors, memory) nothing is known: only what is no snapshot is not read again.
            let isNew = state.withLock { state in
                defer { state.unread = (version, "\(error)") }
                if error.errno == nil { state.version = version }
                return state.unread.map { $0 != (version, "\(error)") } ?? true
            }
            if isNew { report(.refused("\(error)")) }
        }
    }

    private func take(_ bytes: [UInt8]) {
        do throws(SnapshotProblem) {
            let snapshot = try RuleSnapshot(json: Data(bytes))
            // Before rules by which the pods' connections are decided.
            pods.replace(with: snapshot.pods)
            let isKnown = state.withLock {
                $0.taken.map { $0.revision == snapshot.revision && $0.policies == snapshot.policies } ?? false
            }
            if isKnown { return }
            source.replace(with: try RuleBook(snapshot))
            state.withLock { $0.taken = (snapshot.revision, snapshot.policies) }
            report(.taken(revision: snapshot.revision, policies: snapshot.policies.count))
        } catch {
            report(.refused("\(path): \(error)"))
        }
    }
}
