public import NetTypes

/// Host policies: CiliumClusterwideNetworkPolicy with `nodeSelector` (docs/spec/cilium-network-policy.md 16).
extension ReferenceEvaluator {
    /// The policy of a node and its hostNetwork pods in one direction; `nil` when no host policy selects it. `name` is `nil`
    /// for an unnamed node, whose labels are unknown.
    public func subjectPolicy(forNode name: String?, _ direction: Direction) -> SubjectPolicy? {
        let applying = policies(selectingNode: name)
        guard applying.contains(where: { $0[direction] != nil }) else { return nil }
        return SubjectPolicy(
            applying.compactMap { $0[direction] },
            isolatedBy: applying.filter { $0[direction]?.isolates == true }.map(\.origin))
    }

    /// The host policies that select a node, in either direction.
    package func policies(selectingNode name: String?) -> [LoweredPolicy] {
        let labels = view.hostLabels(ofNode: name)
        return policies.filter { policy in
            // "nodeSelector rules match only the host".
            if case .nodes(let selector) = policy.subject { selector.matches(labels) } else { false }
        }
    }

    /// The host policy that applies to a flow at one end; `nil` when that end is not a node or has no host policy.
    public func hostPolicy(of ends: ClusterView.Ends, _ direction: Direction) -> SubjectPolicy? {
        guard case .node(let name, _) = ends[direction] else { return nil }
        // Traffic of a node, with its hostNetwork pods, to itself crosses no interface with policies.
        if case .node(let other?, _) = direction == .egress ? ends.to : ends.from, other == name { return nil }
        return subjectPolicy(forNode: name, direction)
    }
}
