public import Agent
public import KubeClient
public import PolicyAPI
import PolicyAnalysis
public import ServiceLifecycle
import Support
import Synchronization

/// An API server as a source of objects: one follower for each kind, and between calls of `changes` at most two events for
/// each object that changed.
///
/// A kind is synced when its objects have been listed or it was found to be absent. So long as one is not, the agent puts
/// nothing in force, and what is pinned goes on.
public final class KubeSource: ObjectSource, ServiceLifecycle.Service {
    private struct State {
        /// What a reload is to tell.
        struct Reload {
            /// Objects that have gone since it began.
            var gone: Set<ObjectKey> = []
            /// Kinds that were not listed in time.
            var late: [ObjectKind] = []
        }

        var news: [ObjectKey: ObjectNews] = [:]
        var order = NamespaceOrder()
        /// Kinds that have been listed, or found absent, since the last call.
        var newlySynced: [ObjectKind] = []
        var synced: Set<ObjectKind> = []
        var health: [ObjectKind: KindHealth] = [:]
        var unreadable: [ObjectKind: Int] = [:]
        var warnings: [ObjectKey: [Diagnostic]] = [:]
        var changed: (@Sendable () -> Void)?
        var followers: [ObjectKind: KindFollower] = [:]
        /// A reload that has begun and was not told yet.
        var reload: Reload?
        /// How many sets of objects of a kind have begun, and the latest of them that became complete.
        var begun: [ObjectKind: UInt64] = [:]
        var completed: [ObjectKind: UInt64] = [:]
    }

    /// The API server's URL.
    public let id: ObjectSourceID
    private let connection: any KubeTransport
    private let close: @Sendable () async -> Void
    private let decoder: any ObjectDecoder
    private let settings: WatchSettings
    private let status: StatusWriter?
    /// Writes how the node stands, where it was asked for.
    public let nodeStatus: NodeStatusWriter?
    private let thread = BlockingThread(name: "netpold-decode")
    private let state = Mutex(State())

    /// A source that has asked nothing yet; it works while `run` does. With `status`, what becomes of policies is written to the
    /// API server, with `nodeStatus` how the node stands.
    public convenience init(
        _ access: ClusterAccess, decoder: any ObjectDecoder = WireObjectDecoder(),
        settings: WatchSettings = WatchSettings(), status: StatusWriter.Settings? = nil,
        nodeStatus: NodeStatusWriter.Settings? = nil
    ) {
        let connection = KubeConnection(access)
        self.init(
            ObjectSourceID("\(access.server)"), connection, decoder: decoder, settings: settings, status: status,
            nodeStatus: nodeStatus
        ) { await connection.close() }
    }

    init(
        _ id: ObjectSourceID, _ connection: any KubeTransport, decoder: any ObjectDecoder, settings: WatchSettings,
        status: StatusWriter.Settings? = nil, nodeStatus: NodeStatusWriter.Settings? = nil,
        close: @escaping @Sendable () async -> Void
    ) {
        self.id = id
        self.connection = connection
        self.decoder = decoder
        self.settings = settings
        self.status = status.map { StatusWriter($0, transport: connection) }
        self.nodeStatus = nodeStatus.map { NodeStatusWriter($0, transport: connection) }
        self.close = close
    }

    // MARK: ObjectSource

    /// What came since the last call.
    public func changes() -> ObjectBatch {
        state.withLock { state in
            defer {
                state.news = [:]
                state.newlySynced = []
            }
            let events = state.order.pass(state.news, isListed: state.synced.contains(.namespace))
                .sorted { $0.key < $1.key }.flatMap(\.value.events)
            state.reload?.gone.formUnion(KubeSource.gone(events))
            return ObjectBatch(
                source: id, events: events + state.newlySynced.map(ObjectEvent.synced), conditions: conditions(state))
        }
    }

    /// How long a reload waits for the API server.
    private static let reloadLimit = Duration.seconds(60)

    /// Lists everything again, and waits for that as long as a reload may take.
    public func prepareReload() async {
        let (followers, before) = state.withLock { state in
            state.reload = state.reload ?? State.Reload()
            return (state.followers, state.begun)
        }
        for follower in followers.values { follower.relist() }
        let deadline = ContinuousClock.now + KubeSource.reloadLimit
        while !followers.isEmpty, !unlisted(since: before).isEmpty, ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { break }
        }
        let late = unlisted(since: before)
        // Another reload may have told meanwhile what it shares with this one.
        state.withLock { $0.reload = State.Reload(gone: $0.reload?.gone ?? [], late: late) }
    }

    /// Tells what the lists since `prepareReload` changed; what could not be listed in time stays, and is a condition. Objects that
    /// the API server does not list are gone with or without `acceptEmpty`: unlike a folder it does not lose any by accident.
    public func reload(acceptEmpty: Bool) -> ObjectBatch {
        var batch = changes()
        let reload = state.withLock { state in
            defer { state.reload = nil }
            return state.reload ?? State.Reload()
        }
        batch.dropped = reload.gone.union(KubeSource.gone(batch.events)).sorted()
        let failing = Set(batch.conditions.map(\.subject))
        batch.conditions += reload.late.map(\.rawValue).filter { !failing.contains($0) && !failing.contains("\(id)") }
            .map {
                Condition(
                    kind: .sourceUnavailable, subject: $0,
                    message:
                        "was not listed again within \(KubeSource.reloadLimit.components.seconds) s; what was read last stays in force"
                )
            }
        return batch
    }

    private static func gone(_ events: [ObjectEvent]) -> Set<ObjectKey> {
        Set(
            events.compactMap { event -> ObjectKey? in
                if case .delete(let key) = event { key } else { nil }
            })
    }

    /// The kinds of which no set has come that began later than `before`, absent ones apart, and those that cannot be listed.
    private func unlisted(since before: [ObjectKind: UInt64]) -> [ObjectKind] {
        state.withLock { state in
            ObjectKind.allCases.filter { kind in
                switch state.health[kind] {
                case .absent, .failing: false
                case .starting, .following, nil: state.completed[kind, default: 0] <= before[kind, default: 0]
                }
            }
        }
    }

    /// What the API server has of an object, by a list of that one.
    public func latest(_ key: ObjectKey) async -> LatestObject {
        guard let kind = key.objectKind else { return .absent }
        for place in kind.places {
            do throws(RequestFailure) {
                switch try await one(key.name, in: key.namespace, at: place) {
                case .object(_, let head): return .version(head.version)
                case .nothing: return .absent
                case .others: return .unknown("\(id): the list of \(key.text) is of other objects")
                }
            } catch {
                if case .status(let refusal) = error, refusal.saysUnknownPath { continue }
                return .unknown("\(id): \(error.message)")
            }
        }
        return .absent
    }

    /// Whether a namespace is being deleted, or gone, by a list of that one.
    public func isEnding(namespace: String) async -> Bool? {
        guard let place = ObjectKind.namespace.places.first else { return nil }
        do throws(RequestFailure) {
            switch try await one(namespace, in: "", at: place) {
            case .object(let bytes, let head):
                guard
                    case .good(.namespace(let found), _) = decoder.decode(
                        .namespace, bytes, head: head, apiVersion: place.apiVersion)
                else { return nil }
                return found.isTerminating
            case .nothing: return true
            case .others: return nil
            }
        } catch {
            return nil
        }
    }

    /// What a list of one object holds.
    private enum Found: Sendable {
        case object(ArraySlice<UInt8>, ObjectHead)
        /// Nothing.
        case nothing
        /// Other objects, or not all of it: it says nothing of the one that was asked for.
        case others
    }

    /// Asks for one object by a list of it. Who answers may not heed field selectors.
    private func one(
        _ name: String, in namespace: String, at place: ResourcePlace
    ) async throws(RequestFailure) -> Found {
        let request = KubeRequest(place.target(ofOne: name, in: namespace))
        return try await connection.document(request, within: .seconds(5)) { bytes throws(EnvelopeFailure) -> Found in
            let page = try ListPage(parsing: bytes, as: [place.listForm])
            for item in page.items {
                guard let head = try? ObjectHead(scanning: page.bytes[item]), head.name == name else { continue }
                return .object(page.bytes[item], head)
            }
            return page.items.isEmpty && page.next == nil ? .nothing : .others
        }
    }

    /// Calls `changed` when something came, or it stands otherwise with the API server.
    public func watch(_ changed: @escaping @Sendable () -> Void) {
        state.withLock { $0.changed = changed }
        changed()
    }

    // MARK: Service

    /// Follows every kind until it is told to shut down or the task is cancelled.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var optional: [String: KindFollower] = [:]
                for kind in ObjectKind.allCases {
                    var settings = self.settings
                    settings.isOptional = kind.isCustomResource
                    let places = kind.places
                    let sink = Sink(
                        source: self, kind: kind,
                        objects: KindObjects(kind, apiVersions: places.map(\.apiVersion), decoder: self.decoder))
                    let follower = KindFollower(places, settings: settings, transport: self.connection, sink: sink)
                    if kind.isCustomResource, let place = places.first {
                        optional["\(place.plural).\(place.group)"] = follower
                    }
                    self.state.withLock { $0.followers[kind] = follower }
                    group.addTask { await follower.run() }
                }
                let definitions = DefinitionWatch(self.connection, followers: optional, settings: self.settings)
                group.addTask { await definitions.run() }
                if let status = self.status {
                    group.addTask { await status.run { self.state.withLock(\.changed)?() } }
                }
                if let nodeStatus = self.nodeStatus {
                    group.addTask { await nodeStatus.run { self.state.withLock(\.changed)?() } }
                }
            }
        }
        state.withLock { $0.followers = [:] }
        await close()
    }

    /// Takes the changes of one kind, which decodes on a thread of its own.
    private final class Sink: KindSink {
        private let source: KubeSource
        private let kind: ObjectKind
        private let objects: Mutex<KindObjects>

        init(source: KubeSource, kind: ObjectKind, objects: sending KindObjects) {
            self.source = source
            self.kind = kind
            self.objects = Mutex(objects)
        }

        func take(_ changes: [KindChange]) async -> String? {
            await source.thread.run { () -> String? in
                var doubt: String?
                for change in changes { doubt = self.take(change) ?? doubt }
                return doubt
            }
        }

        /// Takes one change; answers what of it is not believed.
        private func take(_ change: KindChange) -> String? {
            let (news, unreadable, doubt) = objects.withLock { ($0.take(change), $0.unreadable, $0.doubt) }
            switch change {
            case .begin: source.begins(kind)
            case .page, .initial, .discard: break
            case .replace, .remove: source.take(kind, news, unreadable: unreadable, isWhole: true)
            case .events: source.take(kind, news, unreadable: unreadable, isWhole: false)
            case .health(let health): source.take(kind, health)
            }
            return doubt
        }
    }

    private func take(_ kind: ObjectKind, _ news: [ObjectKey: ObjectNews], unreadable: Int, isWhole: Bool) {
        let changed = state.withLock { state -> (@Sendable () -> Void)? in
            if isWhole { state.completed[kind] = state.begun[kind] }
            let isFirst = isWhole && state.synced.insert(kind).inserted
            if isFirst { state.newlySynced.append(kind) }
            let countsOtherwise = state.unreadable[kind, default: 0] != unreadable
            state.unreadable[kind] = unreadable
            for (key, one) in news {
                state.news[key, default: ObjectNews()].add(one)
                if let warnings = one.warnings { state.warnings[key] = warnings.isEmpty ? nil : warnings }
            }
            return isFirst || countsOtherwise || !news.isEmpty ? state.changed : nil
        }
        if let status, kind.isPolicy { for (key, one) in news { status.take(key, one) } }
        changed?()
    }

    private func begins(_ kind: ObjectKind) { state.withLock { $0.begun[kind, default: 0] += 1 } }

    private func take(_ kind: ObjectKind, _ health: KindHealth) {
        let changed = state.withLock { state in
            state.health[kind] = health
            return state.changed
        }
        changed?()
    }

    // MARK: conditions

    private func conditions(_ state: borrowing State) -> [Condition] {
        var found = KubeConditions(server: "\(id)", health: state.health, synced: state.synced).conditions
        for (kind, count) in state.unreadable where count > 0 {
            found.append(
                Condition(
                    kind: .sourceUnavailable, subject: kind.rawValue,
                    message:
                        "\(count) objects that the API server lists cannot be read; whatever its list leaves out stays in force"
                ))
        }
        for (what, trouble) in [
            ("statuses of policies and Events", status?.trouble), ("the status of the node", nodeStatus?.trouble),
        ] {
            guard let trouble else { continue }
            found.append(
                Condition(
                    kind: .statusUnwritten, subject: "\(id)",
                    message: "\(what) cannot be written: \(trouble); trying again"))
        }
        let renderer = DiagnosticRenderer()
        for (key, warnings) in state.warnings {
            found += warnings.map {
                Condition(kind: .policyWarning, subject: key.text, message: renderer.render($0))
            }
        }
        return found.sorted()
    }
}

extension StatusWriter {
    /// What is new of a policy.
    fileprivate func take(_ key: ObjectKey, _ news: ObjectNews) {
        switch news.events.last {
        case .upsert(_, .server(let version)): take(key, PolicyVerdict(valid: version))
        case .refused(let refused):
            guard case .server(let version) = refused.origin else { return }
            take(key, PolicyVerdict(version: version, diagnostics: refused.diagnostics))
        case .delete: take(key, nil as PolicyVerdict?)
        case .upsert(_, .manifest), .synced, nil: break
        }
    }
}
