import BPFEmit
import Support
import Synchronization

/// Does the blocking work on the kernel, one piece at a time, on a thread of its own.
actor DatapathWorker {
    private let datapath: any DatapathPort
    private var compiler: any PolicyCompiler
    private let executor = ThreadExecutor(name: "netpold-apply")
    /// Changes that came with something that failed before the compiler was given them.
    private var untaken: [ObjectChange] = []
    private var hasReturnedCode = false
    private let began = Mutex<ContinuousClock.Instant?>(nil)

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(datapath: sending any DatapathPort, compiler: sending any PolicyCompiler) {
        self.datapath = datapath
        self.compiler = compiler
    }

    /// When the piece of work at hand began; `nil` when there is none. Asks nothing of the thread, which may stand still.
    nonisolated var busySince: ContinuousClock.Instant? { began.withLock(\.self) }

    private func working<Result>(_ body: () throws -> Result) rethrows -> Result {
        began.withLock { $0 = .now }
        defer { began.withLock { $0 = nil } }
        return try body()
    }

    /// What a reconciliation did.
    struct Outcome: Sendable {
        /// What the kernel was to hold.
        var compiled: CompiledNode
        /// What became of it.
        var report: Result<ApplyReport, any Error>
        /// What counters stand for from now on, whatever became of it.
        var hits: RuleHitIndex
        /// The hooks as they are afterwards.
        var hooks: [HookFinding]
        /// When the kernel began to hold it.
        var time: KernelTime
        var compileTime: Duration
        var applyTime: Duration
    }

    /// Compiles and applies. Where one of both fails, what is enforced goes on, and pods without programs are closed.
    ///
    /// - Throws: what the compiler throws; nothing else was touched then.
    func reconcile(_ desired: DesiredChanges) throws -> Outcome {
        try working {
            untaken += desired.changes
            do { return try reconciled(desired) } catch { throw close(desired, after: error) }
        }
    }

    private func reconciled(_ desired: DesiredChanges) throws -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        var desired = desired
        desired.host = try datapath.hostStanding()
        desired.changes = untaken
        untaken = []
        let compiled = try compiler.compile(desired)
        let middle = clock.now
        let report = Result { try datapath.apply(compiled.image, links: desired.links, masters: desired.masters) }
            .mapError { close(desired, after: $0) }
        let time = KernelTime.now
        let end = clock.now
        return Outcome(
            compiled: compiled, report: report, hits: datapath.ruleHitIndex, hooks: datapath.auditHooks(), time: time,
            compileTime: middle - start, applyTime: end - middle)
    }

    /// Closes the pods that have come meanwhile: nobody knows for how long nothing can be put in force.
    private func close(_ desired: DesiredChanges, after cause: any Error) -> any Error {
        do {
            try datapath.close(Set(desired.links.values.joined()))
            return cause
        } catch {
            return LeftOpen(cause: cause, reason: error)
        }
    }

    /// Nothing could be put in force, and an interface without programs could not be closed.
    private struct LeftOpen: Error, CustomStringConvertible {
        let cause: any Error
        let reason: any Error

        var description: String { "\(cause); pods that have come since may be open: \(reason)" }
    }

    func auditHooks() -> [HookFinding] { working { datapath.auditHooks() } }
    func counters() throws -> DatapathCounters { try working { try datapath.counters() } }
    func capacities() throws -> [CapacityUse] { try working { try datapath.capacities() } }

    /// Decides anew which pods' new flows may go past the node's stack.
    func refreshFastPath() throws -> FastPathReport? { try working { try datapath.refreshFastPath() } }

    func packetsByRule() throws -> [RuleHitKey: UInt64] { try working { try datapath.packetsByRule() } }
    func makeFlowReader() throws -> any FlowReading { try working { try datapath.makeFlowReader() } }

    /// Removes conntrack entries of flows that are over, a part of the table at a time: a change need not wait for the others.
    func collectConntrack() async throws -> ConntrackCollection {
        var sum = ConntrackCollection(seen: 0, removed: 0)
        while true {
            let part = try working { try datapath.collectConntrack() }
            sum.seen += part.seen
            sum.removed += part.removed
            sum.moved += part.moved
            guard !part.isComplete else {
                sum.shares = part.shares
                return sum
            }
            await Task.yield()
        }
    }

    /// Gives the system back what a list of all pods and the state before a change have left; with `code`, and the first time, also the
    /// code that only the start and changes need.
    func returnMemory(code: Bool) {
        FreeMemory.giveBack()
        if code || !hasReturnedCode { FreeMemory.giveBackCode() }
        hasReturnedCode = true
    }

    /// Removes what has ended of what pods have learnt.
    func collectLearnt() throws -> [EndpointKey: LearntUse] { try working { try datapath.collectLearnt() } }

    /// Puts into force what pods have learnt.
    func learn(_ pods: [EndpointKey: [LearntName]]) throws {
        try working { for (pod, names) in pods.sorted(by: { $0.key < $1.key }) { try datapath.learn(pod, names) } }
    }

    /// Starts the writing of events.
    func makeReading(_ interest: EventInterest) throws -> EventReading {
        EventReading(reader: try datapath.makeEventReader(interest))
    }
}
