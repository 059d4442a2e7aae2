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
