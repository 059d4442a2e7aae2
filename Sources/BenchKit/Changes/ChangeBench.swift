import Agent
import BPFEmit
import Datapath
import Glibc
import LabKit
import Logging
import NetTypes
import PolicyAPI
public import Support
import SystemPackage

/// Measures the agent: one policy is edited, and the new state is in force.
///
/// 10,000 pods, 1,000 policies, 50 pods on this node, each in a network namespace of its own with attached programs. The
/// agent is the real one; its source is scripted, so that no folder or API server is measured.
public struct ChangeBench: Sendable {
    private let edits: Int

    /// A bench of this many edits.
    public init(edits: Int) { self.edits = max(edits, 1) }

    /// Measures. Needs root.
    ///
    /// - Parameters:
    ///   - interrupt: checked all the time; a signal ends the measurement.
    ///   - progress: called with what is being done.
    /// - Returns: one sample an edit, in order.
    /// - Throws: `Interrupt.Signalled`; what the network, the datapath or the agent refused.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) async throws -> [ChangeSample] {
        progress("building 50 pods")
        let workload = CompileWorkload(.deployments)
        let local = workload.objects.pods.filter { $0.nodeName == CompileWorkload.localNode }
        let network = try BenchPods(
            "bench-changes", local.map { ("\($0.metadata.namespace)-\($0.metadata.name)", $0.addresses) },
            check: interrupt.check)
        defer { network.remove() }
        let evidence = try network.evidence()
        progress("compiling 10,000 pods and 1,000 policies")
        let stopwatch = ChangeStopwatch()
        let source = ScriptedSource(
            workload.objects.each.map { .upsert($0, origin: .server(ObjectVersion(resourceVersion: "1"))) }
                + ObjectKind.allCases.map { .synced($0) })
        var logger = Logger(label: "bench")
        logger.logLevel = .critical
        let service = AgentService(
            options: .init(
                instance: "bench", settings: .init(binding: .init(node: CompileWorkload.localNode, source: .folder))),
            ports: .init(
                sources: [source], node: StillNode(seen: evidence),
                datapath: try MeasuredDatapath(network.routed, stopwatch),
                compiler: MeasuredCompiler(stopwatch: stopwatch)),
            server: try LocalServer(path: network.socket), logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { stopwatch.end() }
                try await service.run()
            }
            defer { group.cancelAll() }
            return try await measure(service, source, stopwatch, workload, interrupt, progress: progress)
        }
    }

    private func measure(
        _ service: AgentService, _ source: ScriptedSource, _ stopwatch: ChangeStopwatch, _ workload: CompileWorkload,
        _ interrupt: Interrupt, progress: (String) -> Void
    ) async throws -> [ChangeSample] {
        var reconciliations = ReconciliationWait(service, stopwatch, check: interrupt.check)
        try await reconciliations.next("the first state")
        var samples: [ChangeSample] = []
        for number in 0..<edits {
            try interrupt.check()
            progress("edit \(number + 1) of \(edits)")
            // Every one selects the local pod of its namespace.
            var policy = workload.objects.networkPolicies[number % 50 * 20 + number / 50 % 10]
            policy.ingress[0].ports[0].port = .range(PortRange(UInt16(7000 + number % 50000)))
            let processorTime = ProcessCPU.time()
            let begin = ContinuousClock.now
            source.say(
                .upsert(.networkPolicy(policy), origin: .server(ObjectVersion(resourceVersion: "\(number + 2)"))))
            let times = try await reconciliations.next("edit \(number + 1)")
            samples.append(
                ChangeSample(
                    debounce: times.compileBegin - begin, compile: times.compileEnd - times.compileBegin,
                    plan: times.applyBegin - times.compileEnd + times.apply.plan, load: times.apply.load,
                    swap: times.apply.swap, grace: times.apply.grace, revisions: times.apply.revisions,
                    inForce: times.applyBegin + times.apply.untilInForce - begin,
                    processorTime: ProcessCPU.time() - processorTime))
        }
        return samples
    }
}
