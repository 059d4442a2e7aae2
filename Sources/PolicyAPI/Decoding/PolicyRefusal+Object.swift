import NetTypes

extension PolicyRefusal {
    /// What closes in the place of a policy that is good by itself and is refused for another reason: whom it selects, in its directions.
    /// The same as the decoder says of a policy that is refused for an error in it. None for other objects.
    public static func closing(_ object: ClusterObject) -> [PolicyRefusal] {
        switch object {
        case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup: return []
        case .networkPolicy(let policy):
            return [
                PolicyRefusal(
                    origin: RuleOrigin(
                        kind: object.kind, namespace: policy.metadata.namespace, name: policy.metadata.name, path: "",
                        location: policy.metadata.location),
                    subject: .pods(.named(policy.metadata.namespace), policy.podSelector),
                    ingress: policy.policyTypes.contains(.ingress), egress: policy.policyTypes.contains(.egress))
            ]
        case .clusterPolicy(let policy):
            func mayDeny(_ rules: [ClusterPolicyRule]) -> Bool { rules.contains { $0.action != .allow } }
            let (ingress, egress) = (mayDeny(policy.ingress), mayDeny(policy.egress))
            return [
                PolicyRefusal(
                    origin: policy.origin, subject: .pods(.matching(policy.subject.namespaces), policy.subject.pods),
                    ingress: ingress, egress: egress,
                    denies: Set(Direction.allCases.filter { $0 == .ingress ? ingress : egress }), tier: policy.tier,
                    priority: policy.priority)
            ]
        case .ciliumPolicy(let policy):
            return policy.rules.map { rule in
                PolicyRefusal(
                    origin: RuleOrigin(
                        kind: policy.kind, namespace: policy.metadata.namespace, name: policy.metadata.name,
                        path: rule.path, location: rule.location),
                    subject: CiliumRule.loweredSubject(rule.subject, of: policy),
                    ingress: !rule.ingress.isEmpty || !rule.ingressDeny.isEmpty,
                    egress: !rule.egress.isEmpty || !rule.egressDeny.isEmpty,
                    denies: Set(
                        Direction.allCases.filter {
                            $0 == .ingress ? !rule.ingressDeny.isEmpty : !rule.egressDeny.isEmpty
                        }))
            }
        }
    }

    /// What closes in the place of a Namespace, Pod or Node that was refused for an error in it, or that waits for another object; none
    /// for other objects, and for Pods without addresses of their own. `location`: the place of the document.
    public static func standingIn(for object: ClusterObject, at location: SourceLocation?) -> [PolicyRefusal] {
        let addresses: [IPAddress]?
        switch object {
        // Selectors do not know the labels of its pods.
        case .namespace: addresses = nil
        // Without their object these addresses would count as outside the cluster.
        case .pod(let pod):
            guard !pod.hostNetwork, !pod.isFinished, !pod.addresses.isEmpty else { return [] }
            addresses = pod.addresses
        case .node(let node):
            guard !node.addresses.isEmpty else { return [] }
            addresses = node.addresses
        case .service, .endpointSlice, .cidrGroup, .networkPolicy, .clusterPolicy, .ciliumPolicy: return []
        }
        let metadata = object.metadata
        guard !metadata.name.isEmpty else { return [] }
        return [
            PolicyRefusal(
                origin: RuleOrigin(
                    kind: object.kind, namespace: metadata.namespace, name: metadata.name, path: "", location: location),
                subject: .pods(
                    addresses == nil ? .named(metadata.name) : .matching(LabelSelector()), LabelSelector()),
                ingress: true, egress: true, denies: [.ingress, .egress], tier: .admin, addresses: addresses)
        ]
    }
}
