public import NetTypes

/// Host policies: CiliumClusterwideNetworkPolicy with `nodeSelector` (docs/spec/cilium-network-policy.md 16).
extension ReferenceEvaluator {
    /// Everything that applies to a node in one direction, its hostNetwork pods included; `nil` when no host policy selects
    /// it, so that nothing is asked. `name` is `nil` for some node that nobody has named: its labels are not known.
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

    /// The policy that is asked about a flow at the end that is a node; `nil` when that end is none, or nothing is asked there.
    public func hostPolicy(of ends: ClusterView.Ends, _ direction: Direction) -> SubjectPolicy? {
        guard case .node(let name, _) = ends[direction] else { return nil }
        // A node, with its hostNetwork pods, speaks to itself without an interface that policies stand at.
        if case .node(let other?, _) = direction == .egress ? ends.to : ends.from, other == name { return nil }
        // "Traffic host to own pods is handled by the pod's ingress policy."
        if direction == .egress, let pod = ends.to.pod, view.node(of: pod) == name { return nil }
        return subjectPolicy(forNode: name, direction)
    }
}
