import BPFEmit
public import Logging
import PolicyIR

/// The running agent: events in, kernel and clients out. All decisions are `AgentState`'s.
public actor AgentService {
    /// What the service needs besides its ports.
    public struct Options: Sendable {
        /// Name of the instance.
        public var instance: String
        /// The choices of the core.
        public var settings: AgentState.Settings
        /// How often conntrack entries of flows that are over are removed.
        public var collection: Duration
        /// How often the kernel is compared with the desired state although nothing changed.
        public var resync: Duration
        /// How often the node is looked at although no event came.
        public var look: Duration

        /// Options.
        public init(
            instance: String, settings: AgentState.Settings, collection: Duration = .seconds(10),
            resync: Duration = .seconds(60), look: Duration = .seconds(5)
        ) {
            self.instance = instance
            self.settings = settings
            self.collection = collection
            self.resync = resync
            self.look = look
        }
    }

    /// The world.
    public struct Ports: Sendable {
        var manifests: any ManifestSource
        var node: any NodeSource
        let worker: DatapathWorker

        /// Ports. The datapath and the compiler belong to the agent from now on.
        public init(
            manifests: any ManifestSource, node: any NodeSource, datapath: sending any DatapathPort,
            compiler: sending any PolicyCompiler
        ) {
            self.manifests = manifests
            self.node = node
            self.worker = DatapathWorker(datapath: datapath, compiler: compiler)
        }
    }

    let options: Options
    let ports: Ports
    let logger: Logger
    let started = ContinuousClock().now
    let inbox = VerdictInbox()
    var state: AgentState
    var compiled: CompiledNode?
    var evaluator: ReferenceEvaluator?
    var resolver: VerdictResolver?
    var hits = RuleHitIndex()
    var lastApply: Duration = .zero
    var server: LocalServer?
    var monitors: [LocalServer.Client: MonitorFilter] = [:]
    var eventsLost: UInt64 = 0
    var suppressedSeen: UInt64?
    private var manifestReading = Repeating()
    private var nodeReading = Repeating()

    /// A piece of reading that runs once at a time; what asks meanwhile makes it run once more.
    private struct Repeating {
        var isRunning = false
        var isWanted = false
    }

    /// An agent that has not started.
    public init(options: Options, ports: Ports, logger: Logger) {
        self.options = options
        self.ports = ports
        self.logger = logger
        self.state = AgentState(settings: options.settings)
    }

    /// Starts watching, enforcing and, with a server, answering. Returns at once.
    ///
    /// - Parameter remembered: what an agent before this one had accepted.
    public func start(server: LocalServer?, remembered: ManifestSnapshot = [:]) throws {
        take(.remembered(remembered))
        try ports.manifests.watch { [weak self] in Task { await self?.readManifests() } }
        try ports.node.watch { [weak self] in Task { await self?.lookAtNode() } }
        if let server {
            self.server = server
            server.start(
                .init(
                    request: { [weak self] request, client in Task { await self?.serve(request, client) } },
                    gone: { [weak self] client in Task { await self?.forget(client) } }))
        }
        readManifests()
        lookAtNode()
        repeating(every: options.look) { $0.lookAtNode() }
        repeating(every: options.resync) { $0.take(.resync) }
        repeating(every: options.collection) { await $0.collectConntrack() }
        repeating(every: .seconds(1)) { await $0.tellSuppressed() }
    }

    /// Waits until everything seen so far is in force, or the time is over; answers which.
    public func waitUntilInForce(_ limit: Duration) async -> Bool {
        let deadline = ContinuousClock().now + limit
        while !isQuiet && ContinuousClock().now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        return isQuiet
    }

    private var isQuiet: Bool { state.isInForce && !manifestReading.isRunning && !nodeReading.isRunning }

    /// Ends what would cost the datapath something when nobody is there: the writing of events. Enforcement stays.
    public func stop() async {
        monitors = [:]
        try? await ports.worker.listen(nil)
    }

    // MARK: inputs

    /// Reads the manifests, soon.
    func readManifests() {
        guard !manifestReading.isRunning else {
            manifestReading.isWanted = true
            return
        }
        manifestReading.isRunning = true
        let source = ports.manifests
        Task.detached {
            let event: AgentEvent
            do {
                event = .manifests(try source.read())
            } catch {
                event = .manifestsUnavailable("\(error)")
            }
            await self.manifestsRead(event)
        }
    }

    private func manifestsRead(_ event: AgentEvent) {
        take(event)
        manifestReading.isRunning = false
        if manifestReading.isWanted {
            manifestReading.isWanted = false
            readManifests()
        }
    }

    /// Looks at the node, soon.
    func lookAtNode() {
        guard !nodeReading.isRunning else {
            nodeReading.isWanted = true
            return
        }
        nodeReading.isRunning = true
        let source = ports.node
        Task.detached {
            do {
                let snapshot = try source.snapshot()
                await self.nodeSeen(snapshot)
            } catch {
                await self.nodeNotSeen("\(error)")
            }
        }
    }

    private func nodeSeen(_ snapshot: NodeSnapshot) {
        take(.node(snapshot))
        nodeReadingEnded()
    }

    private func nodeNotSeen(_ reason: String) {
        // What was seen last stays in force; the next look is at most `options.look` away.
        logger.error("the node cannot be looked at", metadata: ["error": "\(reason)"])
        nodeReadingEnded()
    }

    private func nodeReadingEnded() {
        nodeReading.isRunning = false
        if nodeReading.isWanted {
            nodeReading.isWanted = false
            lookAtNode()
        }
    }

    // MARK: the core

    func take(_ event: AgentEvent) {
        for action in state.on(event) { perform(action) }
    }

    private func perform(_ action: AgentAction) {
        switch action {
        case .reconcileLater(let milliseconds):
            Task {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                take(.reconcileDue)
            }
        case .reconcile(let inputs):
            let worker = ports.worker
            Task.detached {
                do {
                    let outcome = try await worker.reconcile(inputs)
                    await self.reconciled(inputs, outcome)
                } catch {
                    await self.take(.applyFailed(generation: inputs.generation, "\(error)"))
                }
            }
        case .raise(let condition):
            let level: Logger.Level = condition.isSevere ? .error : .warning
            logger.log(
                level: level, "\(condition.message)",
                metadata: ["condition": "\(condition.kind.rawValue)", "subject": "\(condition.subject)"])
        case .clear(let condition):
            logger.notice(
                "over: \(condition.message)",
                metadata: ["condition": "\(condition.kind.rawValue)", "subject": "\(condition.subject)"])
        }
    }

    private func reconciled(_ inputs: DesiredInputs, _ outcome: DatapathWorker.Outcome) {
        hits = outcome.hits
        resolver = nil
        let report: ApplyReport
        do {
            report = try outcome.report.get()
        } catch {
            return take(.applyFailed(generation: inputs.generation, "\(error)"))
        }
        compiled = outcome.compiled
        evaluator = nil
        take(.applied(generation: inputs.generation, report, outcome.compiled.diagnostics))
        guard report.changedAnything || state.applyCount == 1 else { return }
        lastApply = outcome.compileTime + outcome.applyTime
        logger.notice(
            "policies in force",
            metadata: [
                "apply": "\(state.applyCount)", "policies": "\(state.store.policiesInForce)",
                "refused": "\(state.store.policiesRefused)", "endpoints": "\(report.endpoints.count)",
                "programs": "\(report.programsLoaded)", "entries": "\(report.entriesChanged)",
                "hooks": "\(report.hooksChanged)",
                "compileTime": "\(outcome.compileTime)", "applyTime": "\(outcome.applyTime)",
            ])
    }

    // MARK: rounds

    private func repeating(every interval: Duration, _ body: @escaping @Sendable (isolated AgentService) async -> Void)
    {
        Task { [weak self] in
            while true {
                try? await Task.sleep(for: interval)
                guard let self else { return }
                await body(self)
            }
        }
    }

    private func collectConntrack() async {
        do {
            let collected = try await ports.worker.collectConntrack()
            if collected.removed > 0 {
                logger.debug(
                    "conntrack entries removed",
                    metadata: ["seen": "\(collected.seen)", "removed": "\(collected.removed)"])
            }
        } catch {
            logger.error("conntrack entries cannot be removed", metadata: ["error": "\(error)"])
        }
    }
}
