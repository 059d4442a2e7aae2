/// What becomes of a flow to a Service, over all backends that may be chosen.
public enum RouteVerdict: String, Hashable, Sendable {
    /// Every backend allows it.
    case allow
    /// None does.
    case deny
    /// None denies it, and at least one needs a proxy that decides each request.
    case l7
    /// Some do and some do not: it depends on which is chosen.
    case mixed
    /// No backend may be chosen: the connection is refused.
    case rejected

    /// The verdict over the answers of all backends, each `true` for a denial, with whether one of them needs a proxy.
    public init(denials: [Bool], needsProxy: Bool) {
        let denied = denials.count(where: \.self)
        if denials.isEmpty {
            self = .rejected
        } else if denied == denials.count {
            self = .deny
        } else if denied > 0 {
            self = .mixed
        } else {
            self = needsProxy ? .l7 : .allow
        }
    }
}
