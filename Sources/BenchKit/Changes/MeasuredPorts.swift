import Agent
import BPFEmit
import Datapath
import LabKit
import NetTypes
import PolicyIR
import Synchronization

/// When the parts of a reconciliation were passed, as the agent goes through them.
final class ChangeStopwatch: Sendable {
    struct Times: Sendable {
        var compileBegin: ContinuousClock.Instant
        var compileEnd: ContinuousClock.Instant
        var applyBegin: ContinuousClock.Instant
        var apply = ApplyTimings()
        var endpoints = 0
        /// What the apply changed in the kernel.
        var programs = 0
        var entries = 0
        /// The identity that the kernel's map has for `watched`.
        var identity: UInt32?
        var failure: String?
    }

    /// An address whose identity is read after each apply.
    let watched = Mutex<IPAddress?>(nil)
    /// One value for each reconciliation.
    let reconciliations: AsyncStream<Times>
    private let continuation: AsyncStream<Times>.Continuation
    private let current = Mutex<Times?>(nil)

    init() { (reconciliations, continuation) = AsyncStream.makeStream() }

    func compiled(from begin: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        current.withLock { $0 = Times(compileBegin: begin, compileEnd: now, applyBegin: now) }
    }

    func applied(
        from begin: ContinuousClock.Instant, _ timings: ApplyTimings, _ report: ApplyReport?, identity: UInt32? = nil,
        failure: String?
    ) {
        let times = current.withLock { times in
            times?.applyBegin = begin
            times?.apply = timings
            times?.endpoints = report?.endpoints.count ?? 0
            times?.programs = report?.programsLoaded ?? 0
            times?.entries = report?.entriesChanged ?? 0
            times?.identity = identity
            times?.failure = failure
            return times
        }
        if let times { continuation.yield(times) }
    }
}

/// The compiler of the agent with a stopwatch.
struct MeasuredCompiler: PolicyCompiler {
    var compiler = NodePolicyCompiler()
    let stopwatch: ChangeStopwatch

    mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        let begin = ContinuousClock.now
        defer { stopwatch.compiled(from: begin) }
        return try compiler.compile(desired)
    }
}

/// The datapath in the node's namespace, with a stopwatch.
final class MeasuredDatapath: DatapathPort {
    private let datapath: NodeDatapath
    private let network: RoutedNetwork
    private let stopwatch: ChangeStopwatch

    init(_ network: RoutedNetwork, _ stopwatch: ChangeStopwatch) throws {
        self.network = network
        self.stopwatch = stopwatch
        datapath = try network.node.run { try NodeDatapath(DatapathOptions(pins: nil)) }
    }

    func apply(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]]
    ) throws -> ApplyReport {
        try network.node.run {
            let begin = ContinuousClock.now
            do {
                let report = try datapath.apply(image, links: links, masters: masters)
                let failure = report.endpoints.lazy.compactMap(\.failure).first
                let watched = stopwatch.watched.withLock(\.self)
                stopwatch.applied(
                    from: begin, datapath.timings, report, identity: try watched.flatMap(datapath.kernelIdentity),
                    failure: failure)
                return report
            } catch {
                stopwatch.applied(from: begin, ApplyTimings(), nil, failure: "\(error)")
                throw error
            }
        }
    }

    func close(_ interfaces: Set<UInt32>) throws { try network.node.run { try datapath.close(interfaces) } }

    func auditHooks() -> [HookFinding] { (try? network.node.run { datapath.auditHooks() }) ?? [] }
    func refreshFastPath() throws -> FastPathReport? { try network.node.run { try datapath.refreshFastPath() } }
    func hostStanding() throws -> HostStanding? { try network.node.run { try datapath.hostStanding() } }
    func collectLearnt() throws -> [EndpointKey: LearntUse] { try datapath.collectLearnt() }
    func learn(_ pod: EndpointKey, _ history: [LearntName]) throws { try datapath.learn(pod, history) }
    func packetsByRule() throws -> [RuleHitKey: UInt64] { try datapath.packetsByRule() }
    func makeFlowReader() throws -> any FlowReading { try datapath.makeFlowReader() }
    var ruleHitIndex: RuleHitIndex { datapath.ruleHitIndex }
    func counters() throws -> DatapathCounters { try datapath.counters() }
    func capacities() throws -> [CapacityUse] { try datapath.capacities() }
    func collectConntrack() throws -> ConntrackCollection { try datapath.collectConntrack() }
    func makeEventReader(_ interest: EventInterest) throws -> NoEvents { NoEvents() }
}

/// Nobody listens.
struct NoEvents: VerdictReader {
    func read() throws -> [VerdictRecord] { [] }
    func listen(to interest: EventInterest) throws {}
    func stop() throws {}
}

/// A source that says what it is told to, when it is told.
final class ScriptedSource: ObjectSource {
    let id = ObjectSourceID("bench")
    private let pending: Mutex<[ObjectEvent]>
    private let changed = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ events: [ObjectEvent]) { pending = Mutex(events) }

    func say(_ event: ObjectEvent) {
        pending.withLock { $0.append(event) }
        changed.withLock { $0 }?()
    }

    func changes() -> ObjectBatch {
        ObjectBatch(
            source: id,
            events: pending.withLock { events in
                defer { events = [] }
                return events
            })
    }

    func watch(_ changed: @escaping @Sendable () -> Void) throws { self.changed.withLock { $0 = changed } }
}

/// A host on which nothing changes.
struct StillNode: NodeSource {
    let seen: HostEvidence
    func evidence() throws -> HostEvidence { seen }
    func watch(_ changed: @escaping @Sendable () -> Void) throws {}
}
