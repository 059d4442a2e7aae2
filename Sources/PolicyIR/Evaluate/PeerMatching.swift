public import PolicyAPI

extension PeerMatch {
    /// Whether these peers match the end.
    public func matches(_ remote: RemoteEnd) -> Bool {
        switch self {
        // "empty or missing from/to matches all": pods, nodes, the outside, both families.
        case .everyone: true
        // Elements of a list are ORed; an empty list matches none.
        case .anyOf(let peers): peers.contains { $0.matches(remote) }
        }
    }
}

extension Peer {
    /// Whether the peer matches the end. Naive on purpose: each case restates its sentence of the specification.
    public func matches(_ remote: RemoteEnd) -> Bool {
        // No peer that selects pods or addresses matches an unknown end.
        if remote.kind == .contested { return false }
        switch self {
        case .pods(let scope, let selector):
            // "podSelector only: pods in the policy's namespace; namespaceSelector only: all pod-network pods in matching
            // namespaces; both in one item: AND". Nodes and hostNetwork pods are not pods here.
            guard let pod = remote.pod else { return false }
            return scope.contains(pod.metadata.namespace, labels: remote.namespaceLabels)
                && selector.matches(pod.metadata.labels)

        case .endpoints(let selector):
            // "Matching uses the remote's identity, never the raw IP"; reserved identities match only where the selector
            // mentions them, because lowering has added the namespace requirement.
            guard remote.kind == .remoteNode, selector.mentionsReserved, let labels = remote.nodeLabels else {
                return selector.matches(remote.labels)
            }
            // "Remote node identities carry `node:<label>` labels and the cluster label": taken verbatim, a selector sees them.
            return selector.matches(labels)

        case .nodes(let selector):
            // "label selector over nodes": their labels, whichever of their addresses is used.
            guard let labels = remote.nodeLabels else { return false }
            return selector.matches(labels)

        case .entity(let entity):
            return entity.contains(remote.labels)

        case .addresses(let prefix, let except, let space):
            // "CIDR: only identities outside the cluster; pods never, nodes not by default"; ipBlock ranges over all.
            if space == .outsideCluster, remote.kind != .outside { return false }
            // "source/dest IP in cidr and in none of the excepts"; a prefix never matches the other family.
            guard let address = remote.address else { return false }
            return prefix.contains(address) && !except.contains { $0.contains(address) }

        case .names(let selector):
            // "An address that belongs to a pod or node keeps that identity; toFQDNs cannot select it."
            guard remote.kind == .outside else { return false }
            let pattern = NamePattern(selector)
            return remote.names.contains { pattern.matches($0) }
        }
    }
}

extension NamespaceScope {
    /// Whether a namespace with this name and these labels is in the scope.
    public func contains(_ name: String, labels: [String: String]) -> Bool {
        switch self {
        case .named(let wanted): name == wanted
        case .matching(let selector): selector.matches(labels)
        }
    }
}

extension Entity {
    /// Whether an end with these labels belongs to the entity (docs/spec/cilium-network-policy.md 5.1). Entities get no
    /// namespace or cluster scoping.
    public func contains(_ labels: CiliumLabels) -> Bool {
        switch self {
        // "all: nothing required; includes host and world".
        case .all: return true
        // "world: reserved:world or world-ipv4 or world-ipv6".
        case .world: return !labels.reserved.isDisjoint(with: ["world", "world-ipv4", "world-ipv6"])
        // "none: never real".
        case .none: return false
        // "cluster: host, remote-node, init, ingress, health, unmanaged, kube-apiserver, or the local cluster's pods".
        case .cluster:
            if labels.kubernetes[CiliumKey.cluster] == CiliumKey.localCluster { return true }
            return !labels.reserved.isDisjoint(with: [
                "host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver",
            ])
        // The rest: "identity must have the label of the same name".
        case .worldIPv4, .worldIPv6, .host, .remoteNode, .kubeAPIServer, .health, .ingress, .`init`, .unmanaged:
            return labels.reserved.contains(rawValue)
        }
    }
}
