import PolicyIR

/// A lab's result for machines: `netpold lab --json`.
public struct LabReport: Codable, Hashable, Sendable {
    /// One exchange.
    public struct Flow: Codable, Hashable, Sendable {
        /// Who asked: `namespace/pod`, `host` (`host/NODE` where there are several), or `ip:ADDRESS`.
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

    /// A connection through a Service.
    public struct ServiceFlow: Codable, Hashable, Sendable {
        /// Who asked: `namespace/pod`.
        public var from: String
        /// `namespace/name` of the Service.
        public var service: String
        /// `cluster IP`, `external IP`, `load balancer IP`, `node port`, `node-local DNS`.
        public var kind: String
        /// The address asked.
        public var address: String
        /// `TCP` or `UDP`.
        public var `protocol`: String
        /// The port asked.
        public var port: Int
        /// `allow`, `deny`, `mixed`, `rejected` or `l7`.
        public var predicted: String
        /// `answered by shop/web-1`, `no answer`, ... in words.
        public var measured: String
        /// Whether the two agree.
        public var agrees: Bool
        /// Where they differ: why the prediction is what it is, in lines.
        public var reasons: [String]?
    }

    /// A request, a query, a handshake, or a connection by name.
    public struct RequestFlow: Codable, Hashable, Sendable {
        /// Who asked.
        public var from: String
        /// Who was asked: a pod, `host`, `ip:ADDRESS`, a Service with its address, or a name.
        public var to: String
        /// The address asked.
        public var address: String
        /// `TCP` or `UDP`.
        public var `protocol`: String
        /// The port asked.
        public var port: Int
        /// `http`, `dns`, `sni`, `connect` (to an address not asked for) or `lookup` (and a connection at once).
        public var kind: String
        /// What was tried, in words.
        public var request: String
        /// `answered`, `denied` or `dropped`.
        public var predicted: String
        /// `answered`, `denied (403)`, `no answer`, ... in words.
        public var measured: String
        /// Whether the two agree.
        public var agrees: Bool
        /// Where they differ: why the prediction is what it is, in lines.
        public var reasons: [String]?
    }

    /// Version of this shape.
    public var version = 1
    /// The pods with the addresses they had.
    public var pods: [LabPod]
    /// The nodes with the addresses they had.
    public var nodes: [LabNode]
    /// How many exchanges were tried.
    public var probes: Int
    /// How many went as predicted.
    public var agreeing: Int
    /// What of the manifests had no part.
    public var notes: [String]
    /// Every exchange.
    public var flows: [Flow]
    /// Every connection through a Service.
    public var services: [ServiceFlow]
    /// Every request, query, handshake and connection by name.
    public var requests: [RequestFlow]

    /// The report of a result.
    public init(_ result: LabResult) {
        pods = result.plan.pods
        nodes = result.plan.nodes
        probes = result.plan.flows.count + result.plan.serviceFlows.count + result.plan.requestFlows.count
        agreeing =
            probes - result.differences.count - result.serviceDifferences.count - result.requestDifferences.count
        services = zip(result.plan.serviceFlows, result.serviceMeasurements).map { flow, measurement in
            let asked = result.plan.frontends[flow.to].frontend
            let agrees = measurement.agrees(with: flow.prediction)
            return ServiceFlow(
                from: result.plan.pods[flow.from].qualifiedName, service: "\(asked.service)", kind: asked.kind.rawValue,
                address: "\(asked.address)", protocol: "\(asked.protocol)", port: Int(asked.port),
                predicted: flow.prediction.verdict.rawValue, measured: measurement.summary, agrees: agrees,
                reasons: agrees ? nil : result.plan.explain(flow))
        }
        notes = result.plan.notes
        func end(_ end: LabEnd) -> String {
            if case .outside = end { "ip:\(result.plan.name(of: end))" } else { result.plan.name(of: end) }
        }
        requests = zip(result.plan.requestFlows, result.requestMeasurements).map { flow, measurement in
            let agrees = measurement.agrees(with: flow.prediction)
            var to = result.plan.name(of: flow.to)
            if case .end(.outside) = flow.to { to = "ip:\(to)" }
            return RequestFlow(
                from: end(flow.from), to: to, address: "\(flow.destination)", protocol: "\(flow.traffic.protocol)",
                port: Int(flow.traffic.port), kind: flow.attempt.kind, request: flow.attempt.summary,
                predicted: flow.prediction.rawValue, measured: measurement.summary, agrees: agrees,
                reasons: agrees ? nil : result.plan.explain(flow))
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
