/// For whom an address counts that a pod has learnt from DNS.
public enum NameScope: String, Hashable, CaseIterable, Sendable {
    /// For that pod: a neighbour with a resolver of its own opens nothing for others.
    case pod
    /// For all pods of the node, as in Cilium.
    case node
}
