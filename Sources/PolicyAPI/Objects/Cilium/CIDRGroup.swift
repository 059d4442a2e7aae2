public import NetTypes

/// A CiliumCIDRGroup, cilium.io/v2 or v2alpha1: prefixes under a name and labels, for `cidrGroupRef` and `cidrGroupSelector`
/// (docs/spec/cilium-network-policy.md 13.4).
public struct CIDRGroup: Hashable, Sendable {
    /// Name and labels; both select the group.
    public var metadata: ObjectMeta
    /// `spec.externalCIDRs`.
    public var prefixes: [IPPrefix]

    /// A group.
    public init(metadata: ObjectMeta, prefixes: [IPPrefix]) {
        self.metadata = metadata
        self.prefixes = prefixes
    }
}
