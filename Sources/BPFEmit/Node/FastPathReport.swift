/// Which pods' new flows may go past the node's stack, and why others' may not.
public struct FastPathReport: Hashable, Sendable {
    /// What was asked for.
    public var mode: FastPathMode
    /// Whether new flows of any pod may.
    public var isOn: Bool
    /// Why, in words.
    public var reason: String
    /// How many pods' may, with each other's.
    public var pods = 0
    /// Pods whose may not, and why, in words.
    public var leftOut: [EndpointKey: String] = [:]
    /// Flows that go past the stack now, those that have just ended among them.
    public var flows = 0

    /// A report without pods.
    public init(mode: FastPathMode, isOn: Bool, reason: String) {
        self.mode = mode
        self.isOn = isOn
        self.reason = reason
    }
}
