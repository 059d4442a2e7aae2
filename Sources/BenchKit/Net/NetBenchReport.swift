/// What the three loads of a round cost, or how much more than in another.
public struct LoadCost: Hashable, Sendable {
    /// Per UDP datagram.
    public var datagram: Double
    /// Per TCP connect, request, response, close.
    public var connection: Double
    /// Per request and response on an open connection.
    public var request: Double

    /// The three by name, in the order printed.
    public static var columns: [(name: String, value: KeyPath<LoadCost, Double>)] {
        [
            ("UDP datagram", \.datagram), ("TCP connect+request+close", \.connection),
            ("TCP request+response", \.request),
        ]
    }

    /// Each load over the other's.
    func ratio(to other: LoadCost) -> LoadCost {
        LoadCost(
            datagram: datagram / other.datagram, connection: connection / other.connection,
            request: request / other.request)
    }
}

/// What the network bench measured.
public struct NetBenchReport: Sendable {
    /// Name of the contender that runs without policy once more: it shows the noise.
    public static let control = "no policy again"
    /// The contenders, in the order printed.
    public static let order = [control, "netpold", "nftables + conntrack"]
    /// The most that netpold should cost beyond the control.
    public static let limit = 1.05

    /// CPU nanoseconds without policy, each round.
    public var plain: [LoadCost] = []
    /// By contender: costs over those without policy of the same round, each round.
    public var contenders: [String: [LoadCost]] = [:]

    /// CPU nanoseconds of a load without policy: the median.
    public func plain(_ load: KeyPath<LoadCost, Double>) -> Double {
        plain.map { $0[keyPath: load] }.quantile(0.5) ?? 0
    }

    /// A contender's costs over those without policy at a quantile (0 to 1) of the rounds; 0 without rounds.
    public func ratio(of contender: String, _ load: KeyPath<LoadCost, Double>, quantile part: Double = 0.5) -> Double {
        (contenders[contender] ?? []).map { $0[keyPath: load] }.quantile(part) ?? 0
    }

    /// What netpold costs beyond the control.
    public func netpoldBeyondControl(_ load: KeyPath<LoadCost, Double>) -> Double {
        ratio(of: "netpold", load) / max(ratio(of: NetBenchReport.control, load), 0.001)
    }
}
