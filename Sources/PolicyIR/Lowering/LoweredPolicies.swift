public import PolicyAPI

/// Policies after lowering, with the diagnostics about them.
public struct LoweredPolicies: Hashable, Sendable {
    /// The policies, in the order of the input: NetworkPolicies, cluster-scoped policies, then one for each rule of each Cilium object.
    public var policies: [LoweredPolicy]
    /// The diagnostics. An error means that the object is not enforced as written: its subject is isolated instead.
    public var diagnostics: [Diagnostic]

    /// Lowered policies.
    public init(policies: [LoweredPolicy] = [], diagnostics: [Diagnostic] = []) {
        self.policies = policies
        self.diagnostics = diagnostics
    }
}
