public import PolicyIR

/// What the rules of one end say about a request.
public enum SideAnswer: Sendable {
    /// This rule allows it, the first that does. The actions of all that do, in order.
    case permitted(by: CompiledRule, actions: [HeaderAction])
    /// None allows it. The one that came nearest with what it fails; `nil` when there is none at all.
    case denied(nearest: CompiledRule?, FailedConditions)

    /// Whether the request is allowed.
    public var isPermitted: Bool {
        switch self {
        case .permitted: true
        case .denied: false
        }
    }
}
