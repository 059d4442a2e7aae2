/// A tier of policies. Tiers are evaluated in this order; `pass` skips to the next.
public enum Tier: UInt8, Hashable, Comparable, CaseIterable, Sendable {
    /// ClusterNetworkPolicy tier Admin, AdminNetworkPolicy.
    case admin = 0
    /// NetworkPolicy, CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy. The only tier with isolation.
    case normal = 1
    /// ClusterNetworkPolicy tier Baseline; not evaluated for a pod isolated in the normal tier.
    case baseline = 2

    /// In evaluation order.
    public static func < (left: Tier, right: Tier) -> Bool { left.rawValue < right.rawValue }
}
