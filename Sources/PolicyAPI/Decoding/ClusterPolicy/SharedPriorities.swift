import NetTypes

extension ClusterObjects {
    /// A warning for each cluster-scoped policy that shares tier and priority with an earlier one and has rules for a
    /// direction that the earlier one has rules for too: "equal priority with overlapping match: implementation may pick any (lint!)".
    func sharedPriorities() -> [Diagnostic] {
        struct Level: Hashable {
            var tier: Tier
            var priority: UInt32
            var direction: Direction
        }
        var first: [Level: ClusterPolicy] = [:]
        var found: [Diagnostic] = []
        for policy in clusterPolicies.sorted(by: { $0.origin < $1.origin }) {
            var other: ClusterPolicy?
            for direction in Direction.allCases
            where !(direction == .ingress ? policy.ingress : policy.egress).isEmpty {
                let level = Level(tier: policy.tier, priority: policy.priority, direction: direction)
                if let earlier = first[level] { other = other ?? earlier } else { first[level] = policy }
            }
            guard let other else { continue }
            let tier = policy.tier == .admin ? "Admin" : "Baseline"
            found.append(
                Diagnostic(
                    id: .conflict, severity: .warning, location: policy.metadata.location, path: "spec.priority",
                    message: "priority \(policy.priority) of tier \(tier) is also used by \(other.kind.rawValue) "
                        + "\(other.metadata.name); where both match, the API lets either win: in netpold Deny beats Accept, "
                        + "and Accept beats Pass",
                    hint: "give each policy its own priority"))
        }
        return found
    }
}
