public import PolicyAPI

/// The answer of one end's L7 rules to a request.
public enum L7Answer: Hashable, Sendable {
    /// Allowed: these elements match it. The actions change its headers, in order.
    case permitted(by: [RuleOrigin], actions: [HeaderAction])
    /// Denied: no element matches it.
    case denied

    /// Whether the request is allowed.
    public var isPermitted: Bool { self != .denied }
}

/// The answers of both ends' L7 rules to a request in a flow.
public struct RequestDecision: Hashable, Sendable {
    /// The answer of the sender's rules; `nil` without L7 rules.
    public var egress: L7Answer?
    /// The answer of the receiver's rules to the request as forwarded by the sender's proxy; `nil` without L7 rules, and when
    /// the request does not arrive.
    public var ingress: L7Answer?
    /// A field that rules of either end ask for or write, and that an option of Connection names: the next proxy takes it out, so the request
    /// is denied.
    public var endedField: String?

    /// A decision of both sides.
    public init(egress: L7Answer? = nil, ingress: L7Answer? = nil) {
        self.egress = egress
        self.ingress = ingress
    }

    /// "Both ends must permit": each its own list.
    public var isPermitted: Bool { egress != .denied && ingress != .denied && endedField == nil }

    /// What the rules of both ends say of a request.
    package init(_ request: L7Request, egress: L7Matcher?, ingress: L7Matcher?) {
        self.init(egress: egress?.decide(request))
        if self.egress == .denied { return }
        if case .http(let sent) = request {
            endedField = sent.connectionOption(naming: (egress?.headerNames ?? []) + (ingress?.headerNames ?? []))
            if endedField != nil { return }
        }
        self.ingress = ingress?.decide(arriving(request))
    }

    /// The request as it reaches the receiver, after the header actions of the sender's rules.
    package func arriving(_ request: L7Request) -> L7Request {
        guard case .permitted(_, let actions)? = egress, case .http(let sent) = request else { return request }
        return .http(sent.applying(actions))
    }
}

/// Decides requests in flows that L3 and L4 rules allow. Caches compiled rules.
public struct RequestDecider: Sendable {
    private var matchers: [SideDecision: L7Matcher] = [:]

    /// A decider that has compiled nothing yet.
    public init() {}

    /// The answers of both ends' L7 rules. The flow must not be denied.
    public mutating func decide(_ request: L7Request, in decision: Decision) -> RequestDecision {
        RequestDecision(request, egress: matcher(decision.egress), ingress: matcher(decision.ingress))
    }

    /// The L7 rules of a side, compiled once.
    package mutating func matcher(_ side: SideDecision) -> L7Matcher? {
        if let known = matchers[side] { return known }
        let made = L7Matcher(side)
        matchers[side] = made
        return made
    }
}
