public import Support

/// Measures what a monitor and a flood of denied packets do to an agent's work: how long a policy edit takes to be in force,
/// and how long `status` takes, quiet and under load.
public struct AgentBench: Sendable {
    /// What a phase came to. Times in milliseconds.
    public struct Phase: Sendable {
        /// From a policy's file being in place to everything being in force, of each edit.
        public var edits: [Double] = []
        /// From the request to the answer.
        public var statuses: [Double] = []
        /// Denied packets a second.
        public var deniedRate: Double = 0
        /// Verdicts that a monitor got, and those it was told it did not get.
        public var shown: UInt64 = 0
        /// Verdicts that the monitor was told of as lost.
        public var lost: UInt64 = 0
    }

    /// Both phases.
    public struct Report: Sendable {
        /// Nobody watches, nothing is denied.
        public var quiet = Phase()
        /// A monitor is open, and one pod sends what is denied.
        public var loaded = Phase()
    }

    /// Limits: an edit under load within this factor of a quiet one, a status within so many milliseconds.
    public static let editFactor = 2.0
    /// Milliseconds for `status`.
    public static let statusLimit = 100.0

    private let edits: Int
    private let policies: Int
    private let rate: Int

    /// A bench.
    ///
    /// - Parameters:
    ///   - edits: policy edits of each phase.
    ///   - policies: policies that select the pod that is flooded.
    ///   - rate: denied packets a second.
    public init(edits: Int, policies: Int, rate: Int) {
        self.edits = edits
        self.policies = policies
        self.rate = rate
    }

    /// Measures. Needs root.
    ///
    /// - Parameters:
    ///   - interrupt: checked all the time; a signal ends the measurement.
    ///   - progress: called with what is being done.
    /// - Returns: the times of both phases.
    /// - Throws: `Interrupt.Signalled`; what the network or the agent refused.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) throws -> Report {
        progress("starting an agent with \(policies) policies")
        let rig = try AgentBenchRig(policies: policies, interrupt)
        defer { rig.close() }
        var report = Report()
        // The first ones after a start find caches cold.
        for _ in 0..<3 { _ = try rig.edit() }
        try measure(&report.quiet, rig, interrupt) { progress("quiet, edit \($0) of \(edits)") }

        let before = try rig.dropped()
        let watcher = try MonitorReader(socket: rig.socket)
        let flood = try DeniedFlood(rig, rate: rate)
        let start = ContinuousClock.now
        let failure = Result {
            try measure(&report.loaded, rig, interrupt) { progress("monitor and flood, edit \($0) of \(edits)") }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let after = Result { try rig.dropped() }
        flood.stop()
        (report.loaded.shown, report.loaded.lost) = watcher.stop()
        try failure.get()
        report.loaded.deniedRate = Double(try after.get() - before) / seconds
        return report
    }

    private func measure(
        _ phase: inout Phase, _ rig: AgentBenchRig, _ interrupt: Interrupt, progress: (Int) -> Void
    ) throws {
        for number in 1...edits {
            try interrupt.check()
            progress(number)
            phase.edits.append(try rig.edit())
            for _ in 0..<5 { phase.statuses.append(try rig.status()) }
        }
    }
}
