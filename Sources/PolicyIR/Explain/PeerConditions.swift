extension PeerMatch {
    /// The conditions that keep these peers from being the end: none when one of them is; else those of the nearest.
    func failedConditions(for remote: RemoteEnd) -> [String] {
        guard case .anyOf(let peers) = self else { return [] }
        return peers.map { $0.failedConditions(for: remote) }.min { $0.count < $1.count }
            ?? ["the rule selects no peer", "so nothing can match it"]
    }
}

extension Peer {
    /// The conditions that keep the peer from being the end, in words; none when it is.
    func failedConditions(for remote: RemoteEnd) -> [String] {
        if matches(remote) { return [] }
        if remote.kind == .contested {
            return ["several objects claim \(remote.inWords), so it belongs to none of them"]
        }
        switch self {
        case .pods(let scope, let selector):
            guard let pod = remote.pod else { return ["\(remote.inWords) is no pod"] }
            return scope.failedConditions(pod.metadata.namespace, labels: remote.namespaceLabels)
                + selector.requirements.filter { !$0.accepts(pod.metadata.labels[$0.key]) }
                .map { "pod \(pod.qualifiedName) \($0.failure(key: $0.key, of: pod.metadata.labels[$0.key]))" }
        case .endpoints(let selector):
            let isAboutPods = !selector.requirements.contains { $0.source == "reserved" }
            if remote.pod == nil, isAboutPods { return ["\(remote.inWords) is no pod"] }
            return selector.requirements
                .filter { !$0.accepts(remote.labels.value(source: $0.source, key: $0.key)) }
                .map { $0.ciliumFailure(of: remote) }
        case .nodes(let selector):
            guard let labels = remote.nodeLabels else { return ["\(remote.inWords) is no node"] }
            return selector.requirements
                .filter { !$0.accepts(labels.value(source: $0.source, key: $0.key)) }
                .map { $0.nodeFailure(of: remote, labels.value(source: $0.source, key: $0.key)) }
        case .entity(let entity):
            return ["\(remote.inWords) is not of the entity \(entity.rawValue)"]
        case .addresses(let prefix, let except, let space):
            if space == .outsideCluster, remote.kind != .outside {
                return ["\(remote.inWords) is in the cluster, where CIDR rules do not apply"]
            }
            guard let address = remote.address else { return ["the address of \(remote.inWords) is not known"] }
            if let exception = except.first(where: { $0.contains(address) }) {
                return ["\(address) is in the exception \(exception)"]
            }
            return ["\(address) is not in \(prefix)"]
        case .names(let selector):
            if remote.kind != .outside { return ["\(remote.inWords) is in the cluster, where toFQDNs does not apply"] }
            let known = remote.names.isEmpty ? "" : ", only for \(remote.names.sorted().joined(separator: ", "))"
            return ["DNS has not given \(remote.inWords) for \(selector.text)\(known)"]
        }
    }
}

extension NamespaceScope {
    func failedConditions(_ name: String, labels: [String: String]) -> [String] {
        switch self {
        case .named(let wanted): name == wanted ? [] : ["namespace \(name) is not \(wanted)"]
        case .matching(let selector):
            selector.requirements.filter { !$0.accepts(labels[$0.key]) }
                .map { "namespace \(name) \($0.failure(key: $0.key, of: labels[$0.key]))" }
        }
    }
}

extension LabelRequirement {
    /// What is wrong with a value, in words: `lacks label tier=front`.
    func failure(key: String, of value: String?) -> String {
        let wanted = values.count == 1 ? "\(key)=\(values[0])" : "\(key) in (\(values.joined(separator: ", ")))"
        switch `operator` {
        case .isIn: return value.map { "has label \(key)=\($0), not \(wanted)" } ?? "lacks label \(wanted)"
        case .notIn, .doesNotExist: return "has label \(key)\(value.map { $0.isEmpty ? "" : "=\($0)" } ?? "")"
        case .exists: return "lacks label \(key)"
        }
    }

    /// The same for a label of a node; that `fromNodes` and `toNodes` mean other nodes is said as a sentence.
    func nodeFailure(of remote: RemoteEnd, _ value: String?) -> String {
        if source == "reserved", key == ReservedIdentity.remoteNode.labelKey, `operator` == .exists {
            return "\(remote.inWords) is the pod's own node, and only other nodes are meant"
        }
        let written = source == "any" || source == "node" ? key : "\(source):\(key)"
        return "\(remote.inWords) \(failure(key: written, of: value))"
    }

    /// The same for a Cilium label of an end: what stands for the namespace is called so.
    func ciliumFailure(of remote: RemoteEnd) -> String {
        let value = remote.labels.value(source: source, key: key)
        guard let pod = remote.pod else { return "\(remote.inWords) \(failure(key: "\(source):\(key)", of: value))" }
        let namespace = "namespace \(pod.metadata.namespace)"
        if isAbout(CiliumKey.namespace), `operator` == .isIn {
            return "\(namespace) is not \(values.joined(separator: " or "))"
        }
        if key.hasPrefix(CiliumKey.namespaceLabelPrefix) {
            return
                "\(namespace) \(failure(key: String(key.dropFirst(CiliumKey.namespaceLabelPrefix.count)), of: value))"
        }
        let written = source == "reserved" ? "reserved:\(key)" : key
        return "pod \(pod.qualifiedName) \(failure(key: written, of: value))"
    }
}

extension FQDNSelector {
    /// The name or pattern as written.
    var text: String {
        switch self {
        case .name(let text), .pattern(let text): text
        }
    }
}

extension RemoteEnd {
    /// The end in words: `shop/web`, `the host`, `another node`, `192.0.2.1`.
    var inWords: String {
        switch kind {
        case .pod(let pod): pod.qualifiedName
        case .host: "the host"
        case .remoteNode: address.map { "node \($0)" } ?? "another node"
        case .outside, .contested: address.map { "\($0)" } ?? "the outside"
        }
    }
}
