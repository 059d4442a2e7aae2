/// What `L7Bench` measured.
public struct L7BenchReport {
    /// CPU of one round, microseconds a request.
    public struct Cost: Sendable {
        /// Of an allowed request.
        public var allowed = 0.0
        /// Of a denied one.
        public var denied = 0.0
        /// The kernel's part of an allowed request: what no proxy of two connections is spared. Counted in ticks, so roughly.
        public var allowedKernel = 0.0
        /// The kernel's part of a denied request.
        public var deniedKernel = 0.0
    }

    /// Rounds of each proxy, in order.
    public var costs: [String: [Cost]] = [:]
    /// Memory at 1,000 connections.
    public var residentBytes: [String: Int] = [:]
    /// Allocations an allowed and a denied request of netpold; empty when they were not counted.
    public var allocations: [Double] = []

    /// The measured proxies, in the order in which they are shown.
    public var proxies: [String] { MeasuredProxy.Kind.allCases.map(\.rawValue).filter { costs[$0] != nil } }

    /// A quantile (0 to 1) of a proxy's cost.
    public func cost(of proxy: String, _ value: (Cost) -> Double, quantile: Double) -> Double {
        (costs[proxy] ?? []).map(value).quantile(quantile) ?? 0
    }

    /// A quantile of netpold's cost beside another proxy's of the same round.
    public func ratio(to proxy: String, _ value: (Cost) -> Double, quantile: Double) -> Double {
        zip(costs["netpold"] ?? [], costs[proxy] ?? []).map { value($0) / value($1) }.quantile(quantile) ?? 0
    }

    /// At most so much of an allowed or denied request's cost in the other proxy.
    public static let targets: [(proxy: String, ratio: Double, aim: Double)] = [
        ("envoy", 0.28, 0.25), ("haproxy", 1.25, 1.1),
    ]
    /// At most so many bytes at 1,000 connections.
    public static let memoryTarget = 64 << 20
    /// At most so many allocations a request.
    public static let allocationTarget = 1.0
}
