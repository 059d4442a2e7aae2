public import Support

/// Measures what reading DNS costs: the latency of allowed answers between two pods, beside none in the same run, and the time of the
/// programs.
public struct NamesBench: Sendable {
    private let rounds: Int
    private let rate: Int
    private let seconds: Int

    /// Resolvers that ask at once, each from a socket of its own.
    public static let resolvers = 100

    /// A bench.
    ///
    /// - Parameters:
    ///   - rounds: how often everything is measured.
    ///   - rate: queries a second, of all resolvers.
    ///   - seconds: of one measurement of latency.
    public init(rounds: Int, rate: Int, seconds: Int) {
        self.rounds = rounds
        self.rate = rate
        self.seconds = seconds
    }

    /// Measures everything. Needs root.
    ///
    /// - Parameters:
    ///   - interrupt: checked all the time; a signal ends the measurement.
    ///   - progress: called with the number of each round before it starts.
    /// - Returns: the figures of each round.
    /// - Throws: `Interrupt.Signalled`; what the network or the datapath refused, or queries that were not answered.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) throws -> NamesBenchReport {
        let network = try NamesBenchNetwork(check: interrupt.check)
        defer { network.close() }
        var report = NamesBenchReport()
        let programs = try NamePrograms()
        let load = try ResolverLoad(network, rate: rate, seconds: seconds, check: interrupt.check)
        for round in 1...rounds {
            try interrupt.check()
            progress("round \(round) of \(rounds)")
            report.programs.append(try programs.measure(round: round))
            try interrupt.check()
            report.plain.append(try load.run())
            try network.install()
            let enforced = Result { try load.run() }
            try network.remove()
            report.enforced.append(try enforced.get())
        }
        return report
    }
}
