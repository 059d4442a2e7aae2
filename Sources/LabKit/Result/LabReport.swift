import PolicyIR

/// A lab's result for machines: `netpold lab --json`.
public struct LabReport: Codable, Hashable, Sendable {
    /// One exchange.
    public struct Flow: Codable, Hashable, Sendable {
        /// Who asked: `namespace/pod`, `host`, or `ip:ADDRESS`.
        public var from: String
        /// Who was asked.
        public var to: String
        /// `TCP`, `UDP`, `ICMP` or `ICMPv6`.
        public var `protocol`: String
        /// The port; absent for an echo.
        public var port: Int?
        /// 4 or 6.
        public var family: Int
        /// `allow` or `deny`.
        public var predicted: String
        /// `answered`, `silent`, ... in words.
        public var measured: String
        /// Whether the two agree.
        public var agrees: Bool
        /// Where they differ: why the prediction is what it is, in lines.
        public var reasons: [String]?
    }

    /// The pods with the addresses they had.
    public var pods: [LabPod]
    /// The node's addresses.
    public var node: [String]
    /// How many exchanges were tried.
    public var probes: Int
    /// How many went as predicted.
    public var agreeing: Int
    /// What of the manifests had no part.
    public var notes: [String]
    /// Every exchange.
    public var flows: [Flow]

    /// The report of a result.
    public init(_ result: LabResult) {
        pods = result.plan.pods
        node = result.plan.nodeAddresses.map(\.description)
        probes = result.plan.flows.count
        agreeing = probes - result.differences.count
        notes = result.plan.notes
        func end(_ end: LabEnd) -> String {
            if case .outside = end { "ip:\(result.plan.name(of: end))" } else { result.plan.name(of: end) }
        }
        flows = zip(result.plan.flows, result.measurements).map { flow, measurement in
            let agrees = measurement.agrees(with: flow.prediction)
            return Flow(
                from: end(flow.from), to: end(flow.to),
                protocol: flow.traffic.wireProtocol(isIPv4: flow.family == 4).description,
                port: flow.traffic == .echo ? nil : Int(flow.traffic.port), family: flow.family,
                predicted: flow.prediction.passes ? "allow" : "deny", measured: measurement.summary,
                agrees: agrees, reasons: agrees ? nil : result.plan.explain(flow))
        }
    }
}
