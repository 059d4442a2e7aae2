public import Support

/// Measures what enforcement costs between two pods: rounds of no policy, netpold and nftables alternate, and each is
/// divided by the round's own run without policy.
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
    ///   - interrupt: checked before each round; a signal ends the measurement.
    ///   - progress: called with the number of each round before it starts.
    /// - Returns: the costs without policy, and each contender's relative to them, by round.
    /// - Throws: `Interrupt.Signalled`; what the network, the datapath or nft refused.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) throws -> NetBenchReport {
        let network = try BenchNetwork()
        defer { network.close() }
        var contenders: [any Enforcement] = [
            NoEnforcement(name: NetBenchReport.control), try NetpoldEnforcement(network),
            NftablesEnforcement(network: network),
        ]
        let baseline = NoEnforcement(name: "no policy")
        var report = NetBenchReport()
        for round in 1...rounds {
            try interrupt.check()
            progress("round \(round) of \(rounds)")
            let none = try measured(baseline, network)
            report.plain.append(none)
            for contender in contenders {
                report.contenders[contender.name, default: []].append(try measured(contender, network).ratio(to: none))
            }
            // The order within a round rotates, so that no contender always runs at the same distance from the baseline.
            contenders.append(contenders.removeFirst())
        }
        return report
    }

    private func measured(_ enforcement: any Enforcement, _ network: BenchNetwork) throws -> LoadCost {
        try enforcement.install()
        let result = Result { try network.measure(scale: scale) }
        try enforcement.remove()
        return try result.get()
    }
}
