import Agent
import BPFEmit
import Datapath
import Glibc
import KubeClient
import KubeObjects
import Logging
import NetTypes
import PolicyAPI
public import Support

/// Measures the agent on an API server: from an object's change there until it holds in the kernel, memory, and what an agent costs
/// while nothing changes.
///
/// 10,000 Pods or as many as are asked for, 1,001 policies, 50 pods on this node, each in a network namespace of its own with attached programs. The agent is the
/// real one with its real source; the API server is a process of its own (`ClusterServer`).
public struct ClusterBench: Sendable {
    private let edits: Int
    private let idle: Duration
    private let podsPerNamespace: Int

    /// A bench of this many changes of each kind, and that long a time without any; of this many Pods, in hundreds.
    public init(edits: Int, idle: Duration, pods: Int = 10_000) {
        self.edits = max(edits, 1)
        self.idle = idle
        podsPerNamespace = max(pods / CompileWorkload.Size.usual.namespaces, 20)
    }

    private struct Rig {
        let server: ClusterServerProcess
        let service: AgentService
        let source: MeasuredSource
        let stopwatch: ChangeStopwatch
        let interrupt: Interrupt

        /// Looks whether there is still something to wait for.
        ///
        /// - Throws: when a signal has come, or the API server has ended.
        func check() throws {
            try interrupt.check()
            if server.hasEnded { throw ClusterServerProcess.ended }
        }
    }

    /// Measures. Needs root.
    ///
    /// - Parameters:
    ///   - interrupt: checked all the time; a signal ends the measurement.
    ///   - progress: called with what is being done.
    /// - Returns: what was measured.
    /// - Throws: `Interrupt.Signalled`; what the network, the API server, the datapath or the agent refused.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) async throws -> ClusterReport {
        progress("building 50 pods")
        let pods = try BenchPods(
            "bench-cluster",
            stride(from: 0, to: CompileWorkload.Size.usual.namespaces, by: 2).map { number in
                let pod = number % 20
                return ("team-\(number)-pod-\(pod)", [IPAddress(ipv4: 0x0a00_0000 + UInt32(number * 256 + pod + 1))])
            }, check: interrupt.check)
        defer { pods.remove() }
        var report = ClusterReport()
        report.pods = podsPerNamespace * CompileWorkload.Size.usual.namespaces
        progress("starting an API server with \(report.pods) Pods and 1,001 policies")
        let server = try ClusterServerProcess(
            kubeconfig: pods.file("kubeconfig"), podsPerNamespace: podsPerNamespace, check: interrupt.check)
        defer { server.stop() }
        report.residentAtStart = ResidentMemory.bytes
        let access = try Kubeconfig(pods.file("kubeconfig")).access(context: nil)
        let kube = KubeSource(access)
        let source = MeasuredSource(kube)
        let stopwatch = ChangeStopwatch()
        var logger = Logger(label: "bench")
        logger.logLevel = .critical
        let service = AgentService(
            options: .init(
                instance: "bench",
                settings: .init(binding: .init(node: CompileWorkload.localNode, source: .apiServer))),
            ports: .init(
                sources: [source], node: pods, datapath: try MeasuredDatapath(pods.routed, stopwatch),
                compiler: MeasuredCompiler(stopwatch: stopwatch)),
            server: try LocalServer(path: pods.socket), logger: logger)
        let rig = Rig(
            server: server, service: service, source: source, stopwatch: stopwatch, interrupt: interrupt)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { stopwatch.end() }
                try await service.run()
            }
            group.addTask { await kube.run() }
            defer { group.cancelAll() }
            try await measure(rig, &report, progress: progress)
            return report
        }
    }

    private func measure(_ rig: Rig, _ report: inout ClusterReport, progress: (String) -> Void) async throws {
        progress("reading the cluster")
        var reconciliations = ReconciliationWait(rig.service, rig.stopwatch, check: rig.check)
        let (begin, beginCPU) = (ContinuousClock.now, ProcessCPU.time())
        try await reconciliations.next("the first state") { $0.endpoints == 50 }
        report.firstState = .now - begin
        report.firstStateCPU = ProcessCPU.time() - beginCPU
        report.resident = ResidentMemory.bytes
        for number in 0..<edits {
            progress("change \(number + 1) of \(edits)")
            // The local pods are those of the namespaces with even numbers.
            let (namespace, policy) = (number % 50 * 2, number / 50 % 10)
            report.policies.samples.append(
                try await change(
                    .policy(number: policy, namespace: namespace, port: 10_000 + number % 50_000), &reconciliations, rig
                ) { $0.programs > 0 })
            report.everywhere.samples.append(
                try await change(.everywhere(port: 100 + number % 50_000), &reconciliations, rig) { $0.programs >= 50 })
            for isNew in [false, true] {
                let pod = number * 2 + (isNew ? 1 : 0)
                let address = IPAddress(ipv4: 0x0ac8_0000 + UInt32(pod & 0xffff))
                rig.stopwatch.watched.withLock { $0 = address }
                let sample = try await change(.pod(number: pod, isNew: isNew), &reconciliations, rig) {
                    $0.identity != nil
                }
                if isNew { report.new.samples.append(sample) } else { report.known.samples.append(sample) }
            }
        }
        progress("doing nothing for \(idle / .seconds(1)) s")
        // What follows the last change is part of that one.
        try await rest(min(idle, .seconds(6)), rig)
        let (idleBegin, idleCPU) = (ContinuousClock.now, ProcessCPU.time())
        try await rest(idle, rig)
        report.idle = .now - idleBegin
        report.idleCPU = ProcessCPU.time() - idleCPU
        report.residentAtEnd = ResidentMemory.bytes
        report.residentKinds = .now
    }

    /// Lets time pass, and looks every second whether it is to go on.
    private func rest(_ time: Duration, _ rig: Rig) async throws {
        let end = ContinuousClock.now + time
        while true {
            try rig.check()
            let left = end - ContinuousClock.now
            guard left > .zero else { return }
            try await Task.sleep(for: min(left, .seconds(1)))
        }
    }

    /// Makes a change and waits until it is in force.
    private func change(
        _ request: ClusterServer.Request, _ reconciliations: inout ReconciliationWait, _ rig: Rig,
        until isIt: (ChangeStopwatch.Times) -> Bool
    ) async throws -> ClusterReport.Sample {
        try rig.check()
        let cpu = ProcessCPU.time()
        let asked = try rig.server.ask(request)
        let begin = ContinuousClock.now - .nanoseconds(MonotonicClock.nanoseconds - asked)
        let times = try await reconciliations.next("a change", until: isIt)
        let told = rig.source.lastTold
        return ClusterReport.Sample(
            delivery: told - begin, reduce: times.compileBegin - told, compile: times.compileEnd - times.compileBegin,
            plan: times.applyBegin - times.compileEnd + times.apply.plan, load: times.apply.load,
            swap: times.apply.swap, grace: times.apply.grace, revisions: times.apply.revisions,
            programs: times.programs, processorTime: ProcessCPU.time() - cpu)
    }
}
