/// Does the blocking work on the kernel, one piece at a time, away from the service that answers clients.
actor DatapathWorker {
    private let datapath: any DatapathPort
    private let compiler: any PolicyCompiler

    init(datapath: any DatapathPort, compiler: any PolicyCompiler) {
        self.datapath = datapath
        self.compiler = compiler
    }

    /// What a reconciliation did.
    struct Outcome: Sendable {
        var report: ApplyReport
        var compiled: CompiledNode
        var compileTime: Duration
        var applyTime: Duration
    }

    func reconcile(_ inputs: DesiredInputs) throws -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let compiled = try compiler.compile(inputs)
        let middle = clock.now
        let report = try datapath.apply(compiled.image, interfaces: inputs.bindings)
        return Outcome(
            report: report, compiled: compiled, compileTime: middle - start, applyTime: clock.now - middle)
    }

    func counters() throws -> DatapathCounters { try datapath.counters() }
    func capacities() throws -> [CapacityUse] { try datapath.capacities() }
    func collectConntrack() throws -> ConntrackSweep { try datapath.collectConntrack() }
    func listen(_ deliver: (@Sendable ([VerdictRecord]) -> Void)?) throws { try datapath.listen(deliver) }
}
