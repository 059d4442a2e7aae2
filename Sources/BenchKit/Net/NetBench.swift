public import Support

/// Measures what enforcement costs between two pods: rounds of no policy, netpold, nftables and programs without policy alternate, and
/// each is divided by the round's own run without policy.
public struct NetBench: Sendable {
    private let rounds: Int
    private let scale: Int

    /// A bench.
    ///
    /// - Parameters:
    ///   - rounds: how often everything is measured.
    ///   - scale: work of a round: 200 datagrams, 48 connections and 100 requests times this.
    public init(rounds: Int, scale: Int) {
        self.rounds = rounds
        self.scale = scale
    }

    /// Measures everything. Needs root and nft.
    ///
    /// - Parameters:
    ///   - interrupt: checked between the loads of each round; a signal ends the measurement.
    ///   - progress: called with the number of each round before it starts.
    /// - Returns: the costs without policy, and each contender's relative to them, by round.
    /// - Throws: `Interrupt.Signalled`; what the network, the datapath or nft refused.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) throws -> NetBenchReport {
        let network = try BenchNetwork(check: interrupt.check)
        defer { network.close() }
        var plain: [any Enforcement] = [
            NoEnforcement(name: NetBenchReport.control),
            try NetpoldEnforcement(network, name: NetBenchReport.netpold),
            try NetpoldEnforcement(network, name: NetBenchReport.fastPath, fastPath: .always),
            NftablesEnforcement(network: network),
            try ReferenceHooks(network, name: NetBenchReport.hooks, .empty),
            try ReferenceHooks(network, name: NetBenchReport.forwarding, .forward),
        ]
        var ruled: [any Enforcement] = [
            NoEnforcement(name: NetBenchReport.ruledControl),
            try NetpoldEnforcement(network, name: NetBenchReport.ruledNetpold),
            try NetpoldEnforcement(network, name: NetBenchReport.ruledFastPath, fastPath: .auto),
        ]
        var report = NetBenchReport()
        for round in 1...rounds {
            try interrupt.check()
            progress("round \(round) of \(rounds)")
            report.plain.append(try measure(&plain, network, &report, interrupt))
            try NodeRules.install(network)
            _ = try measure(&ruled, network, &report, interrupt)
            try NodeRules.remove(network)
        }
        return report
    }

    /// One round: without policy, then each contender beside that. Returns what no policy costs.
    private func measure(
        _ contenders: inout [any Enforcement], _ network: BenchNetwork, _ report: inout NetBenchReport,
        _ interrupt: Interrupt
    ) throws -> LoadCost {
        let none = try measured(NoEnforcement(name: "no policy"), network, interrupt)
        for contender in contenders {
            let cost = try measured(contender, network, interrupt)
            report.contenders[contender.name, default: []].append(cost.ratio(to: none))
        }
        // The order within a round rotates, so that no contender always runs at the same distance from the baseline.
        contenders.append(contenders.removeFirst())
        return none
    }

    private func measured(
        _ enforcement: any Enforcement, _ network: BenchNetwork, _ interrupt: Interrupt
    ) throws -> LoadCost {
        try interrupt.check()
        try enforcement.install()
        let result = Result { try network.measure(scale: scale, check: interrupt.check) }
        try enforcement.remove()
        return try result.get()
    }
}
