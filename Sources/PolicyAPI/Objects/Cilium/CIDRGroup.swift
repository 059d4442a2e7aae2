public import NetTypes

/// A CiliumCIDRGroup, cilium.io/v2 or v2alpha1: prefixes under a name and labels, for `cidrGroupRef` and `cidrGroupSelector`
/// (docs/spec/cilium-network-policy.md 13.4).
public struct CIDRGroup: Hashable, Sendable {
    /// Name and labels; both select the group.
    public var metadata: ObjectMeta
    /// `spec.externalCIDRs`.
    public var prefixes: [IPPrefix]

    /// Whether it was refused: it is unknown which prefixes it has, and, where no label could be read, which labels.
    public var isUnknown = false

    /// A group.
    public init(metadata: ObjectMeta, prefixes: [IPPrefix]) {
        self.metadata = metadata
        self.prefixes = prefixes
    }

    /// A group that was refused.
    public init(unknown metadata: ObjectMeta) {
        self.init(metadata: metadata, prefixes: [])
        isUnknown = true
    }
}
