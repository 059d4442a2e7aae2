public import NetTypes
public import PolicyAnalysis
public import PolicyIR

/// An address and port of a Service that the pods of a lab try.
public struct LabFrontend: Hashable, Sendable {
    /// The address, port, protocol, and where packets may go.
    public var frontend: ServiceFrontend
    /// The names under which the endpoints answer.
    public var backends: [String]
    /// The nodes whose pods have these endpoints there, by index in `LabPlan.nodes`.
    public var nodes: [Int]

    /// `web/cart cluster IP 10.96.1.1`.
    public var name: String { "\(frontend.service) \(frontend.kind.rawValue) \(frontend.address)" }
    /// Protocol and port.
    public var traffic: LabTraffic { LabTraffic(frontend.protocol, frontend.port) }
}

/// One connection through a Service to be tried.
public struct LabServiceFlow: Hashable, Sendable {
    /// The pod that asks: its index in `LabPlan.pods`.
    public var from: Int
    /// What it asks: its index in `LabPlan.frontends`.
    public var to: Int
    /// The address asked from.
    public var source: IPAddress
    /// What should become of it.
    public var prediction: LabServicePrediction
}

/// What the evaluator says will become of a connection through a Service.
public struct LabServicePrediction: Hashable, Sendable {
    /// The verdict over all endpoints.
    public var verdict: RouteVerdict
    /// The names of endpoints from which an answer may come.
    public var answering: Set<String>

    /// Whether an answer is expected, whichever endpoint is chosen.
    public var passes: Bool { verdict == .allow }

    /// Whether something comes back, whichever endpoint is chosen: an answer, or that there is none.
    public var isAnswered: Bool { passes || verdict == .rejected }

    /// `allowed`, `denied`, `refused`, `allowed at some endpoints`.
    public var summary: String {
        switch verdict {
        case .allow: "allowed"
        case .deny: "denied"
        case .l7: "no answer to what is no request (only L7 rules match)"
        case .mixed: "allowed by \(answering.sorted().joined(separator: ", ")) alone"
        case .rejected: "refused (there is no endpoint)"
        }
    }
}
