import BPFEmit
public import Logging
public import NetTypes
import PolicyIR
import Support

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
        /// How often the node is observed although no event came.
        public var observe: Duration

        /// Options.
        public init(
            instance: String, settings: AgentState.Settings, collection: Duration = .seconds(10),
            resync: Duration = .seconds(60), observe: Duration = .seconds(5)
        ) {
            self.instance = instance
            self.settings = settings
            self.collection = collection
            self.resync = resync
            self.observe = observe
        }
    }

    /// The world.
    public struct Ports: Sendable {
        var sources: [any ObjectSource]
        var node: any NodeSource
        let worker: DatapathWorker
        let bindings: BindingFile?

        /// Ports. The datapath and the compiler belong to the agent from now on. With `bindings`, a later agent goes on from
        /// what this one has bound.
        public init(
            sources: [any ObjectSource], node: any NodeSource, datapath: sending any DatapathPort,
            compiler: sending any PolicyCompiler, bindings: BindingFile? = nil
        ) {
            self.sources = sources
            self.node = node
            self.bindings = bindings
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
    private var sourceReading: [ObjectSourceID: Repeating] = [:]
    private var nodeReading = Repeating()
    /// Bindings to be written down; `nil` when there are none.
    private var unsaved: BindingRecords?
    private var isSaving = false

    /// A piece of reading that runs once at a time; what asks meanwhile makes it run once more.
    private struct Repeating {
        var isRunning = false
        var isWanted = false
        /// Those who want everything read again: whether with `acceptEmpty`, and what they do with what was found.
        var reloads: [(acceptEmpty: Bool, answer: CheckedContinuation<ObjectBatch, Never>)] = []
    }

    /// An agent that has not started. `pinned` are the addresses that programs of an earlier agent let pass, by interface.
    public init(options: Options, ports: Ports, pinned: [UInt32: [IPAddress]] = [:], logger: Logger) {
        self.options = options
        self.ports = ports
        self.logger = logger
        var records: BindingRecords?
        do throws(SystemError) {
            records = try ports.bindings?.load()
        } catch {
            logger.error("the bindings of an earlier agent are not known", metadata: ["error": "\(error)"])
        }
        self.state = AgentState(
            settings: options.settings, sources: Set(ports.sources.map(\.id)), records: records, pinned: pinned)
    }

    /// Starts watching, enforcing and, with a server, answering. Returns at once.
    public func start(server: LocalServer?) throws {
        for source in ports.sources { try source.watch { [weak self] in Task { await self?.read(source) } } }
        try ports.node.watch { [weak self] in Task { await self?.observeNode() } }
        if let server {
            self.server = server
            server.start(
                .init(
                    request: { [weak self] request, client in Task { await self?.serve(request, client) } },
                    gone: { [weak self] client in Task { await self?.forget(client) } }))
        }
        readSources()
        observeNode()
        repeating(every: options.observe) { $0.observeNode() }
        repeating(every: options.resync) { $0.take(.resync) }
        repeating(every: options.collection) { await $0.collectConntrack() }
        repeating(every: .seconds(1)) { await $0.reportSuppressed() }
    }

    /// Waits until everything seen so far is in force, or the time is over; answers which.
    public func waitUntilInForce(_ limit: Duration) async -> Bool {
        let deadline = ContinuousClock().now + limit
        while !isQuiet && ContinuousClock().now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        return isQuiet
    }

    /// Whether pods may be less protected than the policies ask for.
    public var hasSevereConditions: Bool { state.conditions.contains(where: \.isSevere) }

    private var isQuiet: Bool {
        state.isInForce && !nodeReading.isRunning && sourceReading.isEmpty && !isSaving && unsaved == nil
    }

    /// Ends what would cost the datapath something when nobody is there: the writing of events. Enforcement stays.
    public func stop() async {
        monitors = [:]
        try? await ports.worker.listen(nil)
    }

    // MARK: inputs

    /// Asks every source what changed, soon.
    func readSources() {
        for source in ports.sources { read(source) }
    }

    /// Reads every source as a whole again.
    public func reload(acceptEmpty: Bool) async -> ReloadReport {
        var batches: [ObjectBatch] = []
        for source in ports.sources {
            batches.append(
                await withCheckedContinuation { answer in
                    sourceReading[source.id, default: Repeating()].reloads.append((acceptEmpty, answer))
                    read(source)
                })
        }
        return ReloadReport(batches)
    }

    private func read(_ source: any ObjectSource) {
        guard sourceReading[source.id]?.isRunning != true else {
            sourceReading[source.id]?.isWanted = true
            return
        }
        let reloads = sourceReading[source.id]?.reloads ?? []
        sourceReading[source.id] = Repeating(isRunning: true)
        Task.detached {
            let batch =
                reloads.isEmpty
                ? source.changes() : source.reload(acceptEmpty: reloads.contains { $0.acceptEmpty })
            await self.sourceRead(source, batch)
            for reload in reloads { reload.answer.resume(returning: batch) }
        }
    }

    private func sourceRead(_ source: any ObjectSource, _ batch: ObjectBatch) {
        take(.objects(batch))
        let next = sourceReading[source.id]
        sourceReading[source.id] = nil
        guard let next, next.isWanted else { return }
        sourceReading[source.id] = Repeating(reloads: next.reloads)
        read(source)
    }

    /// Observes the node, soon.
    func observeNode() {
        guard !nodeReading.isRunning else {
            nodeReading.isWanted = true
            return
        }
        nodeReading.isRunning = true
        let source = ports.node
        Task.detached {
            do {
                let evidence = try source.evidence()
                await self.nodeObserved(evidence)
            } catch {
                await self.nodeNotObserved("\(error)")
            }
        }
    }

    private func nodeObserved(_ evidence: HostEvidence) {
        take(.node(evidence))
        nodeReadingEnded()
    }

    private func nodeNotObserved(_ reason: String) {
        // What was observed last stays in force; the next try is at most `options.observe` away.
        logger.error("the node cannot be observed", metadata: ["error": "\(reason)"])
        nodeReadingEnded()
    }

    private func nodeReadingEnded() {
        nodeReading.isRunning = false
        if nodeReading.isWanted {
            nodeReading.isWanted = false
            observeNode()
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
        case .reconcile(let desired):
            let worker = ports.worker
            Task.detached {
                do {
                    let outcome = try await worker.reconcile(desired)
                    await self.reconciled(desired, outcome)
                } catch {
                    await self.take(.applyFailed(generation: desired.generation, "\(error)"))
                }
            }
        case .record(let records):
            guard ports.bindings != nil else { return }
            unsaved = records
            save()
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

    private func reconciled(_ desired: DesiredChanges, _ outcome: DatapathWorker.Outcome) {
        hits = outcome.hits
        resolver = nil
        let report: ApplyReport
        do {
            report = try outcome.report.get()
        } catch {
            return take(.applyFailed(generation: desired.generation, "\(error)"))
        }
        compiled = outcome.compiled
        evaluator = nil
        take(
            .applied(
                generation: desired.generation, report, outcome.compiled.diagnostics, hooks: outcome.hooks))
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

    /// Writes the latest bindings, one after the other.
    private func save() {
        guard let file = ports.bindings, let records = unsaved, !isSaving else { return }
        unsaved = nil
        isSaving = true
        Task.detached {
            let result = Result { () throws(SystemError) in try file.save(records) }
            await self.saved(result)
        }
    }

    private func saved(_ result: Result<Void, SystemError>) {
        isSaving = false
        if case .failure(let error) = result {
            logger.error(
                "the bindings cannot be written down: a restart would not know them", metadata: ["error": "\(error)"])
        }
        save()
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
