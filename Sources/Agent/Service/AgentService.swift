public import Logging
public import NetTypes
public import ServiceLifecycle
import Support

/// The running agent: a reconciler, a hub of monitors, a server of the local API, each with one concern and an owner for
/// each of its tasks. They share values that are published, and never wait for each other.
public final class AgentService: Service {
    /// What the service needs besides its ports.
    public struct Options: Sendable {
        /// Name of the instance.
        public var instance: String
        /// The choices of the core.
        public var settings: AgentState.Settings
        /// What the datapath and the compiler do about Services, for the status; `nil`: nobody has said.
        public var services: ServiceChoice?
        /// The file in which the proxy says how it stands, for the status; `nil`: there is none.
        public var proxyState: String?
        /// How often conntrack entries of flows that are over are removed.
        public var collection: Duration
        /// How often the kernel is compared with the desired state although nothing changed.
        public var resync: Duration
        /// How often the node is observed although no event came.
        public var observe: Duration

        /// Options.
        public init(
            instance: String, settings: AgentState.Settings, services: ServiceChoice? = nil,
            proxyState: String? = nil, collection: Duration = .seconds(10),
            resync: Duration = .seconds(60), observe: Duration = .seconds(5)
        ) {
            self.instance = instance
            self.settings = settings
            self.services = services
            self.proxyState = proxyState
            self.collection = collection
            self.resync = resync
            self.observe = observe
        }
    }

    /// The world.
    public struct Ports: Sendable {
        let sources: [any ObjectSource]
        let node: any NodeSource
        let worker: DatapathWorker
        let bindings: RecordFile<BindingRecords>?
        let names: NameFeed?
        let denials: DenialReader?

        /// Ports. The datapath and the compiler belong to the agent from now on. With `bindings`, a later agent goes on from
        /// what this one has bound; with `names`, what pods learn is kept; with `denials`, monitors see requests that the proxy did not allow.
        public init(
            sources: [any ObjectSource], node: any NodeSource, datapath: sending any DatapathPort,
            compiler: sending any PolicyCompiler, bindings: RecordFile<BindingRecords>? = nil, names: NameFeed? = nil,
            denials: DenialReader? = nil
        ) {
            self.sources = sources
            self.node = node
            self.bindings = bindings
            self.names = names
            self.denials = denials
            self.worker = DatapathWorker(datapath: datapath, compiler: compiler)
        }
    }

    private let reconciler: Reconciler
    private let hub: MonitorHub
    private let cache: CounterCache
    private let api: APIServer
    private let answers: Answers
    private let published = PublishedSnapshot()
    private let names: NameFeed?
    private let denials: DenialReader?
    private let worker: DatapathWorker
    private let logger: Logger

    /// An agent that has not started; clients reach it by `server`. `pinned` are the addresses that programs of an earlier
    /// agent let pass, by interface.
    public init(
        options: Options, ports: Ports, server: LocalServer, pinned: [UInt32: [IPAddress]] = [:], logger: Logger
    ) {
        var records: BindingRecords?
        do throws(SystemError) {
            records = try ports.bindings?.load()
        } catch {
            logger.error("the bindings of an earlier agent are not known", metadata: ["error": "\(error)"])
        }
        let state = AgentState(
            settings: options.settings, sources: Set(ports.sources.map(\.id)), records: records, pinned: pinned)
        let history = GenerationHistory()
        let worker = ports.worker
        self.worker = worker
        self.logger = logger
        names = ports.names
        denials = ports.denials
        let cache = CounterCache(worker)
        self.cache = cache
        hub = MonitorHub(
            history: history, listen: { try await worker.makeReading($0) },
            counters: { await cache.latest().counters }, denial: { [names] in names?.denial(of: $0) })
        reconciler = Reconciler(
            options: options, ports: ports, state: state, published: published, history: history, logger: logger)
        answers = Answers(
            instance: options.instance, services: options.services, proxyState: options.proxyState,
            published: published, worker: worker,
            reconciler: reconciler, cache: cache,
            hub: hub)
        api = APIServer(
            server: server, reconciler: reconciler, published: published, hub: hub, answers: answers,
            listings: Listings(
                published: published, history: history, cache: cache, worker: worker, names: ports.names),
            policyWaits: PolicyWaits(reconciler: reconciler, published: published, history: history),
            explanations: Explanations(history: history, names: ports.names, proxyState: options.proxyState))
    }

    /// Watches, enforces and answers until it is told to shut down or the task is cancelled. Then nobody is answered any
    /// more, no events are written, and what is enforced stays so.
    ///
    /// - Throws: when a source or the node cannot be watched.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await self.reconciler.run() }
                group.addTask { await self.hub.run() }
                group.addTask { await self.cache.run() }
                group.addTask { await self.api.run() }
                if let denials = self.denials { group.addTask { await denials.run(self.hub) } }
                if let names = self.names {
                    group.addTask { await names.run(self.published, self.worker, self.reconciler, self.logger) }
                }
            }
        }
    }

    /// Reads every source as a whole and the node again.
    public func reload() async {
        _ = await reconciler.reload(acceptEmpty: false)
    }

    /// Whether the kernel was brought to a state of this agent.
    public var hasEnforced: Bool { published.current.applyCount > 0 }

    /// The health as of now.
    public var health: Health { answers.health() }

    /// What the cluster may know of the node, as of now.
    public var summary: NodeSummary {
        let current = published.current
        return NodeSummary(
            revision: current.applyCount, isInForce: current.isInForce, policiesInForce: current.policiesInForce,
            policiesRefused: current.policiesRefused, problems: health.problems.map { "\($0.subject): \($0.message)" })
    }

    /// Waits until everything read so far is in force, or the time is over; answers which.
    public func waitUntilInForce(_ limit: Duration) async -> Bool {
        await api.settled(within: limit, rereading: false)
    }
}
