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
    /// Name of netpold without flows past the stack.
    public static let netpold = "netpold"
    /// Name of netpold whose flows go past the stack.
    public static let fastPath = "netpold, fast path"
    /// As `control`, on a node with kube-proxy's rules: beside no policy on such a node.
    public static let ruledControl = "kube-proxy's rules: no policy again"
    /// As `netpold`, on such a node.
    public static let ruledNetpold = "kube-proxy's rules: netpold"
    /// netpold with `--fast-path=auto` on such a node.
    public static let ruledFastPath = "kube-proxy's rules: fast path auto"
    /// Name of programs that return at once, at the hooks that netpold has: no less is possible without the fast path.
    public static let hooks = "hooks that return at once"
    /// Name of programs that forward past the stack and ask no policy: no less is possible with it.
    public static let forwarding = "forwarding past the stack alone"
    /// The contenders, in the order printed.
    public static let order = [
        control, netpold, fastPath, "nftables + conntrack", hooks, forwarding, ruledControl, ruledNetpold,
        ruledFastPath,
    ]
    /// What has a target: who, beyond which control, and the most that it should cost.
    public static let targets = [
        (name: netpold, control: control, limit: 1.03), (name: fastPath, control: control, limit: 0.90),
        (name: ruledNetpold, control: ruledControl, limit: 1.03),
        (name: ruledFastPath, control: ruledControl, limit: 0.90),
    ]

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

    /// What a contender costs beyond its control.
    public func cost(of contender: String, beyond control: String, _ load: KeyPath<LoadCost, Double>) -> Double {
        ratio(of: contender, load) / max(ratio(of: control, load), 0.001)
    }
}
