import Datapath
import Support

/// Tries everything that a plan has over the sockets of its network.
struct LabMeasuring {
    let plan: LabPlan
    let interrupt: Interrupt

    /// What comes of all of it.
    func result(_ network: RoutedNetwork, _ loop: EventLoop) throws -> LabResult {
        let probing = LabProbing(plan: plan)
        let measurements = probing.measurements(try probe(try probing.probes(network), "probing", loop))
        let outcomes = try probe(probing.serviceProbes(network), "probing Services", loop)
        let answers = try answers(probing, network, loop)
        return LabResult(
            plan: plan, measurements: measurements, serviceMeasurements: LabProbing.serviceMeasurements(outcomes),
            requestMeasurements: probing.requestMeasurements(answers, of: plan.requestFlows))
    }

    /// The outcomes of the plan's attempts. What one teaches a pod must not be known before: addresses that nobody has asked for
    /// come first.
    private func answers(
        _ probing: LabProbing, _ network: RoutedNetwork, _ loop: EventLoop
    ) throws -> [ProbeOutcome] {
        var outcomes = [ProbeOutcome](repeating: .silent, count: plan.requestFlows.count)
        let unasked = plan.requestFlows.indices.filter {
            if case .connect = plan.requestFlows[$0].attempt { true } else { false }
        }
        let others = plan.requestFlows.indices.filter { !unasked.contains($0) }
        for part in [unasked, others] {
            let probes = try probing.requestProbes(network, of: part.map { plan.requestFlows[$0] })
            let answered = try probe(probes, "probing names and requests", loop, patience: .seconds(1))
            for (index, outcome) in zip(part, answered) {
                outcomes[index] = outcome
            }
        }
        return outcomes
    }

    /// Runs probes; `patience` where a proxy, another process, takes part.
    func probe(
        _ probes: [Probe], _ title: String, _ loop: EventLoop, patience: Duration? = nil
    ) throws -> [ProbeOutcome] {
        let progress = ProgressBar(title, of: probes.count)
        defer { progress.finish() }
        let prober = Prober(loop: loop)
        if let patience { prober.patience = patience }
        return try prober.run(probes) { done in
            try interrupt.check()
            progress.show(done)
        }
    }
}
