import Agent
import Foundation
import KubeClient
import KubeObjects
import KubeTestServer
import PolicyAPI
import Support
import Testing

/// A `KubeSource` that follows a `TestAPIServer`, and what an agent would know by now.
final class SourceRun: Sendable {
    let server: TestAPIServer
    let source: KubeSource
    private let task: Task<Void, Never>
    private let known = Known()

    /// Short times, so that a test of a watchdog takes no minutes.
    static let hasty = WatchSettings(
        pageLimit: 2, answerLimit: .seconds(1), silenceLimit: .seconds(1), shortWatch: .milliseconds(100),
        firstDelay: .milliseconds(20), longestDelay: .milliseconds(200), absentPoll: .milliseconds(200),
        absentConfirmation: .milliseconds(50))

    init(
        _ server: TestAPIServer, _ credential: TestAPIServer.Credential = .token("admin-token"),
        settings: WatchSettings = hasty, status: StatusWriter.Settings? = nil,
        nodeStatus: NodeStatusWriter.Settings? = nil, edit: (String) -> String = { $0 }
    ) throws {
        self.server = server
        let file = FileManager.default.temporaryDirectory.appending(path: "kubeconfig-\(UUID())").path()
        try edit(server.kubeconfig(credential)).write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let source = KubeSource(
            try Kubeconfig(file).access(context: nil), settings: settings, status: status,
            nodeStatus: nodeStatus)
        self.source = source
        task = Task { await source.run() }
    }

    /// Ends without stopping the server.
    func end() { task.cancel() }

    func stop() async {
        task.cancel()
        await task.value
        await server.stop()
    }

    /// What is known after all events so far.
    private final class Known: @unchecked Sendable {
        private let lock = NSLock()
        private var objects: [ObjectKey: ClusterObject] = [:]
        private var refused: Set<ObjectKey> = []
        private var synced: Set<ObjectKind> = []
        private var conditions: [Condition] = []
        /// Keys that were gone at some time.
        private var dropped: Set<ObjectKey> = []

        func take(_ batch: ObjectBatch) -> State {
            lock.withLock {
                conditions = batch.conditions
                for event in batch.events {
                    switch event {
                    case .upsert(let object, _):
                        objects[object.key] = object
                        refused.remove(object.key)
                    case .delete(let key):
                        if objects.removeValue(forKey: key) != nil { dropped.insert(key) }
                        refused.remove(key)
                    case .refused(let object): refused.insert(object.key)
                    case .synced(let kind): synced.insert(kind)
                    }
                }
                return State(
                    objects: objects, refused: refused, synced: synced, conditions: conditions, dropped: dropped)
            }
        }
    }

    struct State {
        var objects: [ObjectKey: ClusterObject]
        var refused: Set<ObjectKey>
        var synced: Set<ObjectKind>
        var conditions: [Condition]
        var dropped: Set<ObjectKey>

        var isSynced: Bool { synced.count == ObjectKind.allCases.count }

        func has(_ kind: ObjectKind, _ name: String) -> Bool {
            objects.keys.contains { $0.kind == kind.rawValue && $0.name == name }
        }
    }

    /// Has everything listed again.
    func reload() async -> ObjectBatch {
        await source.prepareReload()
        return source.reload(acceptEmpty: false)
    }

    /// What is known now.
    func now() -> State { known.take(source.changes()) }

    /// Waits until `isTrue`, two minutes at most: tests of other suites that compute hold the threads that tasks need.
    @discardableResult
    func until(
        _ what: String, _ location: Testing.SourceLocation = #_sourceLocation, _ isTrue: (State) -> Bool
    ) async throws -> State {
        let end = ContinuousClock.now + .seconds(120)
        var state = now()
        while !isTrue(state), .now < end {
            try await Task.sleep(for: .milliseconds(10))
            state = now()
        }
        #expect(
            isTrue(state),
            "\(what); conditions: \(state.conditions.map(\.message)); synced \(state.synced.count); requests: \(server.requests.suffix(12))",
            sourceLocation: location)
        return state
    }
}
