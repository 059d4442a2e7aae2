/// What the packet bench measured.
public struct PacketBenchReport: Sendable {
    /// The reference programs, cheapest first.
    public static let references = ["np_bench_empty", "np_bench_parse", "np_bench_lookup"]

    /// Nanoseconds a packet of each reference program.
    public var references: [String: PacketBench.Cost] = [:]
    /// Nanoseconds a packet of each case.
    public var costs: [PacketBenchCase: PacketBench.Cost] = [:]

    /// Established packets over the lookup reference of the same flows, each round: where flows lie in memory makes more
    /// difference to many of them than anything else, and differs from round to round.
    public var established: [PacketBenchCase: [(hot: Double, spread: Double)]] = [:]
}

extension PacketBenchCase: CustomStringConvertible {
    /// `new, 100 rules, 10000 identities, read`
    public var description: String {
        "\(kind.rawValue), \(rules) rules, \(identities) identities\(hasReader ? ", read" : "")"
    }
}
