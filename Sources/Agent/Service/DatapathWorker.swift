import BPFEmit

/// Does the blocking work on the kernel, one piece at a time, away from the service that answers clients.
actor DatapathWorker {
    private let datapath: any DatapathPort
    private var compiler: any PolicyCompiler
    private var reading: EventThread?

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
        let end = clock.now
        return Outcome(
            compiled: compiled, report: report, hits: datapath.ruleHitIndex, hooks: datapath.auditHooks(),
            compileTime: middle - start, applyTime: end - middle)
    }

    func counters() throws -> DatapathCounters { try datapath.counters() }
    func capacities() throws -> [CapacityUse] { try datapath.capacities() }
    func collectConntrack() throws -> ConntrackCollection { try datapath.collectConntrack() }

    /// Starts or stops the reading of events; `deliver` is called on a thread of its own.
    func listen(_ deliver: (@Sendable ([VerdictRecord]) -> Void)?) throws {
        reading?.stop()
        reading = nil
        if let deliver { reading = EventThread(try datapath.makeEventReader(), deliver) }
    }
}
