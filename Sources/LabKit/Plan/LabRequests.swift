public import NetTypes
public import PolicyIR

/// What is tried over a connection, or with a name.
public enum LabAttempt: Hashable, Sendable {
    /// A request, a query or a handshake over the flow.
    case request(L7Request)
    /// The flow's first connection to the address of this name, which the pod has not asked for.
    case connect(name: String)
    /// The name is asked for over the flow, and at once this port of its address is connected to.
    case lookUp(name: String, then: LabTraffic)

    /// `http`, `dns`, `sni`, `connect` or `lookup`.
    public var kind: String {
        switch self {
        case .request(.http): "http"
        case .request(.dns): "dns"
        case .request(.serverName): "sni"
        case .connect: "connect"
        case .lookUp: "lookup"
        }
    }

    /// For people.
    public var summary: String {
        switch self {
        case .request(let request): "\(request)"
        case .connect(let name): "an address of \(name), not asked for"
        case .lookUp(let name, let traffic): "\(name) asked for, then \(traffic)"
        }
    }
}

/// One attempt of a lab that goes beyond a connection, with what should become of it.
public struct LabRequestFlow: Hashable, Sendable {
    /// Whom it is sent to.
    public enum Target: Hashable, Sendable {
        /// A pod, the node, or an address outside.
        case end(LabEnd)
        /// A Service, by its index in `LabPlan.frontends`.
        case frontend(Int)
        /// A name of the world outside, by its index in `LabPlan.names`.
        case name(Int)
    }

    /// Who asks.
    public var from: LabEnd
    /// Who is asked.
    public var to: Target
    /// On what port.
    public var traffic: LabTraffic
    /// The address asked from.
    public var source: IPAddress
    /// The address asked.
    public var destination: IPAddress
    /// What is tried.
    public var attempt: LabAttempt
    /// What should become of it.
    public var prediction: LabRequestPrediction

    /// The family, for output: 4 or 6.
    public var family: Int { source.isIPv4 ? 4 : 6 }
}

/// What the evaluator says will become of an attempt.
public enum LabRequestPrediction: String, Hashable, Sendable {
    /// Answered by who was meant.
    case answered
    /// Refused: HTTP 403, DNS REFUSED, a handshake reset.
    case denied
    /// No packet comes back.
    case dropped
}
