/// Namespaces that a peer means, with what is known of their pods. One value serves all peers that mean the same: those may be
/// hundreds of namespaces.
final class KnownNamespaces {
    let names: Set<String>
    /// Whether pods of each of them are known.
    let isKnown: Bool
    /// Whether pods of some of them are known.
    let isPartlyKnown: Bool
    /// Whether all pods of each of them are known.
    let knowsAllPods: Bool
    /// The labels of their known pods.
    lazy var labels = cluster.labels(of: names)
    private let cluster: LintCluster

    init(_ names: Set<String>, _ cluster: LintCluster) {
        self.names = names
        self.cluster = cluster
        isKnown = !names.isEmpty && names.isSubset(of: cluster.populated)
        isPartlyKnown = isKnown || !names.isDisjoint(with: cluster.populated)
        knowsAllPods = isKnown && cluster.knowsAllPods(of: names)
    }
}
