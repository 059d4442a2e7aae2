import BPFEmit
import Support

/// Does the blocking work on the kernel, one piece at a time, on a thread of its own.
actor DatapathWorker {
    private let datapath: any DatapathPort
    private var compiler: any PolicyCompiler
    private let executor = ThreadExecutor(name: "netpold-apply")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(datapath: sending any DatapathPort, compiler: sending any PolicyCompiler) {
        self.datapath = datapath
        self.compiler = compiler
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

    /// Compiles and applies.
    ///
    /// - Throws: what the compiler throws; nothing was touched then.
    func reconcile(_ desired: DesiredChanges) throws -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let compiled = try compiler.compile(desired)
        let middle = clock.now
        let report = Result { try datapath.apply(compiled.image, links: desired.links, masters: desired.masters) }
        let time = KernelTime.now
        let end = clock.now
        return Outcome(
            compiled: compiled, report: report, hits: datapath.ruleHitIndex, hooks: datapath.auditHooks(), time: time,
            compileTime: middle - start, applyTime: end - middle)
    }

    func counters() throws -> DatapathCounters { try datapath.counters() }
    func capacities() throws -> [CapacityUse] { try datapath.capacities() }
    func collectConntrack() throws -> ConntrackCollection { try datapath.collectConntrack() }

    /// Starts the writing of events.
    func makeReading(_ interest: EventInterest) throws -> EventReading {
        EventReading(reader: try datapath.makeEventReader(interest))
    }
}
