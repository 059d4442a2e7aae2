extension DecisionExplanation {
    /// Whether the request, or without one the connection, gets through. Where a proxy decides each request, the connection does.
    public var isAllowed: Bool { request?.isPermitted ?? (verdict != .deny) }
}

extension ServiceExplanation {
    /// Whether the flow gets through, whichever backend is chosen; `nil` where it depends on that.
    public var isAllowed: Bool? {
        switch verdict {
        case .allow, .l7: true
        case .deny, .rejected: false
        case .mixed: nil
        }
    }
}
