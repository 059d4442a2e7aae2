import BPFEmit
import Logging
import NetTypes
import Support
import Synchronization

/// Events in, kernel out. All decisions are `AgentState`'s; everything that blocks runs on threads of its own, and whoever
/// answers clients reads what is published. Nothing waits for this actor but its own tasks.
actor Reconciler {
    /// One source with its reader and the thread that it blocks.
    private struct Input: Sendable {
        let source: any ObjectSource
        let reader = InputReader(every: nil)
        let reloads = ReloadQueue()
        let thread: BlockingThread

        /// Reads what changed, or everything where somebody wants that; gives it to `take` before whoever waits for it.
        func read(_ take: (ObjectBatch) async -> Void) async {
            let waiting = reloads.take()
            let batch = await thread.run {
                waiting.isEmpty
                    ? source.changes() : source.reload(acceptEmpty: waiting.contains { $0.acceptEmpty })
            }
            await take(batch)
            for reload in waiting { reload.finish(batch) }
        }
    }

    private let options: AgentService.Options
    private let logger: Logger
    private let worker: DatapathWorker
    private let node: any NodeSource
    private let bindings: RecordFile<BindingRecords>?
    private let published: PublishedSnapshot
    private let history: GenerationHistory
    private nonisolated let inputs: [Input]
    private nonisolated let nodeReader: InputReader
    private nonisolated let saver = InputReader(every: nil)
    private let actions: AsyncStream<AgentAction>
    private let doing: AsyncStream<AgentAction>.Continuation

    private var state: AgentState
    private var snapshot = AgentSnapshot()
    private var compiled: CompiledNode?
    /// Bindings to be written down; `nil` when there are none.
    private var unsaved: BindingRecords?
    private var conditionLog: ConditionLog
    private var crowdedFlows = CrowdedFlows()
    private var hasLoggedApply = false
    /// `applyCount` when freed memory was last returned.
    private var trimmedAt: UInt64 = 0
    /// Whether that was in a quiet moment.
    private var trimmedQuietly = true

    init(
        options: AgentService.Options, ports: AgentService.Ports, state: AgentState, published: PublishedSnapshot,
        history: GenerationHistory, logger: Logger
    ) {
        self.options = options
        self.logger = logger
        conditionLog = ConditionLog(logger)
        self.worker = ports.worker
        self.node = ports.node
        self.bindings = ports.bindings
        self.published = published
        self.history = history
        self.state = state
        inputs = ports.sources.map { Input(source: $0, thread: BlockingThread(name: "netpold-source")) }
        nodeReader = InputReader(every: options.observe)
        (actions, doing) = AsyncStream.makeStream()
    }

    // MARK: inputs

    /// What a `reread` asked for.
    struct Reread: Sendable {
        fileprivate let inputs: [InputReader.Ticket]
        fileprivate let node: InputReader.Ticket
    }

    /// Reads every source and the node again, soon.
    @discardableResult
    nonisolated func reread() -> Reread {
        Reread(inputs: inputs.map { $0.reader.ask() }, node: nodeReader.ask())
    }

    /// Looks at the node again, soon.
    nonisolated func look() { nodeReader.ask() }

    /// Reads every source as a whole again, not only what changed, and the node. With `acceptEmpty` what a source lost is
    /// gone.
    nonisolated func reload(acceptEmpty: Bool) async -> ReloadReport {
        nodeReader.ask()
        var batches: [ObjectBatch] = []
        for input in inputs {
            await input.source.prepareReload()
            let batch = await input.reloads.wait(acceptEmpty: acceptEmpty) { input.reader.ask() }
            if let batch { batches.append(batch) }
        }
        return ReloadReport(batches)
    }

    /// What the sources' peers have of an object at this moment.
    nonisolated func latest(_ key: ObjectKey) async -> LatestObject {
        var latest = LatestObject.absent
        for input in inputs {
            switch (await input.source.latest(key), latest) {
            case (.unknown(let why), _): return .unknown(why)
            case (.absent, _): continue
            case (let found, .absent): latest = found
            case (.asRead, _), (.version, _): continue
            }
        }
        return latest
    }

    /// Whether what was read for a `reread` is known to the state.
    nonisolated func isDone(_ reread: Reread) -> Bool {
        zip(inputs, reread.inputs).allSatisfy { $0.reader.isDone($1) } && nodeReader.isDone(reread.node)
    }

    /// Whether everything asked for has been read, and what follows from it written down.
    nonisolated var isQuiet: Bool {
        inputs.allSatisfy(\.reader.isQuiet) && nodeReader.isQuiet && saver.isQuiet
    }

    /// What is being read at the moment, and since when: a folder may be on a file system that does not answer.
    nonisolated var readings: [(subject: String, since: ContinuousClock.Instant)] {
        let sources = inputs.map { ("\($0.source.id)", $0.reader.busySince) }
        return (sources + [("node", nodeReader.busySince)]).compactMap { subject, since in
            since.map { (subject, $0) }
        }
    }

    /// Begins to watch for changes.
    private func watch() throws {
        for input in inputs { try input.source.watch { input.reader.ask() } }
        try node.watch { [nodeReader] in nodeReader.ask() }
    }

    // MARK: tasks

    /// Reads, compiles and applies until the task is cancelled. What is being applied then is finished first.
    ///
    /// - Throws: when a source or the node cannot be watched.
    func run() async throws {
        try watch()
        reread()
        await withDiscardingTaskGroup { group in
            for input in inputs {
                group.addTask {
                    await input.reader.run {
                        await input.read { batch in await self.take(.objects(batch)) }
                    }
                    input.reloads.close()
                }
            }
            let nodeThread = BlockingThread(name: "netpold-node")
            group.addTask { await self.nodeReader.run { await self.observe(on: nodeThread) } }
            let fileThread = BlockingThread(name: "netpold-files")
            group.addTask { await self.saver.run { await self.save(on: fileThread) } }
            group.addTask { await self.repeating(every: self.options.resync) { await self.take(.resync) } }
            group.addTask { await self.repeating(every: self.options.collection) { await self.collectConntrack() } }
            group.addTask { await self.repeating(every: self.options.observe) { await self.auditHooks() } }
            for await action in actions {
                switch action {
                case .reconcileLater(let milliseconds):
                    group.addTask {
                        guard (try? await Task.sleep(for: .milliseconds(milliseconds))) != nil else { return }
                        await self.take(.reconcileDue)
                    }
                case .reconcile(let desired):
                    group.addTask { await self.reconcile(desired) }
                case .look(let question):
                    group.addTask { await self.look(question) }
                case .record, .raise, .clear:
                    break  // done at once, by `perform`
                }
            }
            group.cancelAll()
        }
    }

    private nonisolated func repeating(every interval: Duration, _ body: @Sendable () async -> Void) async {
        while (try? await Task.sleep(for: interval)) != nil { await body() }
    }

    private nonisolated func observe(on thread: BlockingThread) async {
        do {
            let source = node
            let proxyState = options.proxyState
            let isServed = await thread.run { proxyState.flatMap(ProxyStatus.read) != nil }
            await observed(proxyServes: isServed)
            let evidence = try await thread.run { try source.evidence() }
            await observed(evidence)
        } catch {
            await notObserved("\(error)")
        }
    }

    private func observed(_ evidence: HostEvidence) {
        conditionLog.take(nodeFailure: nil)
        take(.node(evidence))
    }

    private func observed(proxyServes: Bool) {
        let missing = proxyServes ? nil : compiled.flatMap { Condition.proxyMissing($0.image) }
        if conditionLog.take(proxyMissing: missing) { publish() }
    }

    /// What was observed last stays in force; the next try is at most `options.observe` away.
    private func notObserved(_ reason: String) {
        conditionLog.take(
            nodeFailure: Condition(
                kind: .evidenceUnreadable, subject: "node",
                message: "cannot be observed: \(reason); what was seen last stays in force"))
        publish()
    }

    // MARK: the core

    private func take(_ event: AgentEvent) {
        for action in state.on(event) { perform(action) }
        publish()
    }

    private func perform(_ action: AgentAction) {
        switch action {
        case .reconcileLater, .reconcile, .look: doing.yield(action)
        case .record(let records):
            unsaved = records
            if bindings != nil { saver.ask() }
        case .raise(let condition): conditionLog.begin(condition)
        case .clear(let condition): conditionLog.end(condition)
        }
    }

    private func publish() {
        snapshot.facts = Health.Facts(
            generation: state.generation, appliedGeneration: state.appliedGeneration, view: state.binding.view,
            report: state.report,
            conditions: (state.conditions + conditionLog.conditions).sorted())
        snapshot.applyCount = state.applyCount
        snapshot.isInForce = state.isInForce
        snapshot.policies = state.policies
        // `state.policiesInForce`, without making those that are kept once more.
        snapshot.policiesKept = state.policiesKept
        snapshot.policiesInForce = state.store.policiesInForce + snapshot.policiesKept.count
        snapshot.policiesRefused = state.store.policiesRefused
        let isPending = state.appliedGeneration != state.generation
        snapshot.pendingSince = isPending ? snapshot.pendingSince ?? .now : nil
        published.publish(snapshot)
    }

    /// Asks all sources until they know.
    private nonisolated func look(_ question: NamespaceQuestion) async {
        while !Task.isCancelled {
            var answers: [Bool?] = []
            for input in inputs { answers.append(await input.source.isEnding(namespace: question.name)) }
            if !answers.contains(nil) {
                return await take(.namespaceSeen(question, isEnding: answers.contains(true)))
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func reconcile(_ desired: DesiredChanges) async {
        do {
            reconciled(desired, try await worker.reconcile(desired))
            await refreshFastPath()
        } catch {
            take(.applyFailed(generation: desired.generation, "\(error)"))
        }
    }

    private func reconciled(_ desired: DesiredChanges, _ outcome: DatapathWorker.Outcome) {
        let report = try? outcome.report.get()
        if report != nil { compiled = outcome.compiled }
        history.begin(
            Generation(began: outcome.time, report: report ?? state.report, hits: outcome.hits, compiled: compiled))
        switch outcome.report {
        case .failure(let error): return take(.applyFailed(generation: desired.generation, "\(error)"))
        case .success(let report):
            if report.changedAnything || !hasLoggedApply {
                snapshot.lastApply = outcome.compileTime + outcome.applyTime
            }
            take(
                .applied(
                    generation: desired.generation, report, outcome.compiled.diagnostics, hooks: outcome.hooks))
            logApply(report, outcome)
        }
    }

    /// Says what is in force when that changed, and once after the start.
    private func logApply(_ report: ApplyReport, _ outcome: DatapathWorker.Outcome) {
        for version in report.takenOver {
            logger.notice(
                "another version's hooks, flows and counters were taken over", metadata: ["version": "\(version)"])
        }
        guard report.changedAnything || !hasLoggedApply else { return }
        hasLoggedApply = true
        logger.notice(
            "policies in force",
            metadata: [
                "apply": .stringConvertible(state.applyCount),
                "policies": .stringConvertible(snapshot.policiesInForce),
                "refused": .stringConvertible(state.store.policiesRefused),
                "endpoints": .stringConvertible(report.endpoints.count),
                "programs": .stringConvertible(report.programsLoaded),
                "entries": .stringConvertible(report.entriesChanged),
                "hooks": .stringConvertible(report.hooksChanged),
                "compileMilliseconds": .stringConvertible(outcome.compileTime.roundedMilliseconds),
                "applyMilliseconds": .stringConvertible(outcome.applyTime.roundedMilliseconds),
            ])
    }

    // MARK: rounds

    /// Writes the latest bindings.
    private func save(on thread: BlockingThread) async {
        guard let file = bindings, let records = unsaved else { return }
        unsaved = nil
        do {
            try await thread.run { try file.save(records) }
        } catch {
            logger.error(
                "the bindings cannot be written down: a restart would not know them", metadata: ["error": "\(error)"])
        }
    }

    /// What each endpoint has of the flow table now.
    private func take(_ shares: [EndpointKey: FlowShare]) {
        let isNews = conditionLog.take(crowded: crowdedFlows.conditions(shares))
        guard isNews || shares != snapshot.shares else { return }
        snapshot.shares = shares
        publish()
    }

    /// What the latest collection of learnt addresses found.
    func take(names found: [Condition]) {
        if conditionLog.take(learntFull: found) { publish() }
    }

    /// Looks at what decides which flows go past the node's stack.
    private func refreshFastPath() async {
        do {
            let report = try await worker.refreshFastPath()
            let before = snapshot.fastPath
            guard report != before else { return }
            snapshot.fastPath = report
            if let report, report.isOn != before?.isOn, report.mode != .off {
                logger.notice(
                    "fast path", metadata: ["on": "\(report.isOn)", "reason": "\(report.reason)"])
            }
            publish()
        } catch {
            logger.error("no new flow goes past the node's stack", metadata: ["error": "\(error)"])
        }
    }

    /// Looks whether programs are at the hooks, and has them put back where somebody has taken them away.
    private func auditHooks() async {
        // What is being applied looks itself.
        guard state.isInForce else { return }
        let missing = await worker.auditHooks().filter { finding in
            finding.problem == .missing && !state.conditions.contains(AgentState.condition(finding))
        }
        guard !missing.isEmpty else { return }
        for finding in missing {
            logger.error(
                "a hook was taken away and is put back: since the look before no policy was asked there",
                metadata: [
                    "hook": "\(finding)", "subject": "\(finding.key.map { "\($0)" } ?? "")",
                    "lookedEach": "\(options.observe)",
                ])
        }
        take(.resync)
    }

    private func collectConntrack() async {
        await refreshFastPath()
        history.forget(at: .now)
        // Once after changes, and once when none has followed: by then the states before them are forgotten.
        let isQuiet = state.applyCount == trimmedAt
        if !isQuiet || !trimmedQuietly {
            (trimmedAt, trimmedQuietly) = (state.applyCount, isQuiet)
            await worker.returnMemory(code: isQuiet)
        }
        do {
            let collected = try await worker.collectConntrack()
            take(collected.shares)
            if collected.removed > 0 {
                logger.debug(
                    "conntrack entries removed",
                    metadata: [
                        "seen": .stringConvertible(collected.seen), "removed": .stringConvertible(collected.removed),
                    ])
            }
        } catch {
            logger.error("conntrack entries cannot be removed", metadata: ["error": "\(error)"])
        }
    }
}

extension Duration {
    /// Milliseconds, to the hundredth.
    var roundedMilliseconds: Double { (self / .milliseconds(1) * 100).rounded() / 100 }
}
