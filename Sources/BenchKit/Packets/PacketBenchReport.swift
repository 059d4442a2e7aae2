/// What the packet bench measured.
public struct PacketBenchReport: Sendable {
    /// The reference programs, cheapest first.
    public static let references = ["np_bench_empty", "np_bench_parse", "np_bench_lookup"]

    /// A target and how far it was met.
    public struct Target: Hashable, Sendable {
        /// What is compared with what.
        public var name: String
        /// How much more the one costs than the other.
        public var ratio: Double
        /// The most it should be.
        public var limit: Double
    }

    /// Nanoseconds per packet of each reference program.
    public var references: [String: PacketBench.Cost] = [:]
    /// Nanoseconds per packet of each case.
    public var costs: [PacketBenchCase: PacketBench.Cost] = [:]

    /// Established packets over the lookup reference of the same flows, each round: where flows lie in memory makes more
    /// difference to many of them than anything else, and differs from round to round.
    public var established: [PacketBenchCase: [(hot: Double, spread: Double)]] = [:]

    /// Established packets against the lookup of the same flows: of each case the median of its rounds, of these the worst.
    /// New packets: the lowest of all rounds, the worst pair.
    public func targets(_ cases: [PacketBenchCase]) -> [Target] {
        [("hot", \PacketBench.Cost.hot), ("spread", \PacketBench.Cost.spread)].flatMap { spread, value in
            let medians = established.values.compactMap { rounds in
                rounds.map { spread == "hot" ? $0.hot : $0.spread }.quantile(0.5)
            }
            let new = cases.filter { $0.kind == .new && !$0.hasReader }
            func cost(_ rules: Int, _ identities: Int) -> Int? {
                new.first { $0.rules == rules && $0.identities == identities }
                    .flatMap { costs[$0]?[keyPath: value] }
            }
            func ratio(_ upper: Int?, _ lower: Int?) -> Double? {
                guard let upper, let lower else { return nil }
                return Double(upper) / Double(max(lower, 1))
            }
            let byRules = [100, 10_000, 100_000].compactMap { ratio(cost(1000, $0), cost(1, $0)) }
            let byIdentities = [1, 100, 1000].compactMap { ratio(cost($0, 100_000), cost($0, 100)) }
            return [
                ("established against parse + LRU hit", medians.max(), 1.25),
                ("new, 1,000 rules against 1", byRules.max(), 1.3),
                ("new, 100,000 identities against 100", byIdentities.max(), 1.5),
            ].compactMap { name, worst, limit in
                worst.map { Target(name: "\(name), \(spread)", ratio: $0, limit: limit) }
            }
        }
    }
}
