public import PolicyAPI

/// What the L7 rules of one end say about a request.
public enum L7Answer: Hashable, Sendable {
    /// It passes: these rules match it, each the origin of one element. The actions change its headers, in order.
    case permitted(by: [RuleOrigin], actions: [HeaderAction])
    /// No rule matches it.
    case denied

    /// Whether the request passes.
    public var isPermitted: Bool { self != .denied }
}

/// What the L7 rules of both ends say about a request in a flow.
public struct RequestDecision: Hashable, Sendable {
    /// The sender's rules; `nil` when its policies leave nothing to L7.
    public var egress: L7Answer?
    /// The receiver's, about the request as the sender's proxy passes it on; `nil` when they leave nothing to L7, and when the request
    /// does not get there.
    public var ingress: L7Answer?

    /// Nothing said yet, or what was.
    public init(egress: L7Answer? = nil, ingress: L7Answer? = nil) {
        self.egress = egress
        self.ingress = ingress
    }

    /// "Both ends must permit": each its own list.
    public var isPermitted: Bool { egress != .denied && ingress != .denied }

    /// The request as it reaches the receiver: what the sender's rules do to its headers is done.
    package func arriving(_ request: L7Request) -> L7Request {
        guard case .permitted(_, let actions)? = egress, case .http(let sent) = request else { return request }
        return .http(sent.applying(actions))
    }
}

/// Decides requests in flows that L3 and L4 let in. Keeps what it has compiled.
public struct RequestDecider: Sendable {
    private var matchers: [SideDecision: L7Matcher] = [:]

    /// A decider that has compiled nothing yet.
    public init() {}

    /// What both ends' L7 rules say. The flow must not be denied.
    public mutating func decide(_ request: L7Request, in decision: Decision) -> RequestDecision {
        var result = RequestDecision(egress: matcher(decision.egress)?.decide(request))
        if result.egress == .denied { return result }
        result.ingress = matcher(decision.ingress)?.decide(result.arriving(request))
        return result
    }

    /// The L7 rules of a side, compiled once.
    package mutating func matcher(_ side: SideDecision) -> L7Matcher? {
        if let known = matchers[side] { return known }
        let made = L7Matcher(side)
        matchers[side] = made
        return made
    }
}
