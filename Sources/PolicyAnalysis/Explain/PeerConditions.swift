import NetTypes
import PolicyAPI
import PolicyIR

extension PeerMatch {
    /// The conditions that keep these peers from matching the end: empty when one of them matches; else those of the nearest,
    /// with the number of distinct alternatives it was chosen from.
    func failedConditions(for remote: RemoteEnd) -> (failed: [FailedCondition], alternatives: Int) {
        guard case .anyOf(let peers) = self else { return ([], 1) }
        let failures = peers.map { $0.failedConditions(for: remote) }
        guard var nearest = failures.first else {
            return ([FailedCondition(.unsatisfiable, text: "the rule selects no peer, so nothing matches it")], 1)
        }
        for other in failures where other.isNearer(than: nearest) { nearest = other }
        guard nearest.count == 1, let one = nearest.first, let merge = FailedCondition.merge(one.kind) else {
            return (nearest, Set(failures).count)
        }
        // Several prefixes, names or entities read as one list.
        let alike = failures.filter { $0.count == 1 && $0[0].kind == one.kind && $0[0].of == one.of }
        return ([merge(one, alike.flatMap { $0[0].wanted })], failures.count - alike.count + 1)
    }
}

extension Peer {
    /// The conditions that keep the peer from matching the end; empty when it matches.
    func failedConditions(for remote: RemoteEnd) -> [FailedCondition] {
        if matches(remote) { return [] }
        let name = remote.displayName
        if remote.kind == .contested {
            return [
                FailedCondition(
                    .contested, of: name,
                    text: remote.isSomebodyOnLink
                        ? "\(name) is link-local, and nobody says whose it is"
                        : "several objects claim the address \(name), so it belongs to none of them")
            ]
        }
        switch self {
        case .pods(let scope, let selector):
            guard let pod = remote.pod else { return [.notPod(name)] }
            return scope.failedConditions(pod.metadata.namespace, labels: remote.namespaceLabels)
                + selector.requirements.compactMap {
                    $0.failure(.label, value: pod.metadata.labels[$0.key], of: name)
                }
        case .endpoints(let selector):
            if remote.pod == nil, !selector.mentionsReserved { return [.notPod(name)] }
            if remote.kind == .remoteNode, let labels = remote.nodeLabels {
                return selector.requirements.compactMap { $0.endpointFailure(ofNode: labels, called: name) }
            }
            return selector.failedConditions(remote.labels, pod: remote.pod, called: remote.pod?.qualifiedName ?? name)
        case .nodes(let selector):
            guard let labels = remote.nodeLabels else {
                return [FailedCondition(.notNode, of: name, text: "the rule selects nodes, and \(name) is not a node")]
            }
            return selector.requirements.compactMap { $0.nodeFailure(labels, called: name) }
        case .entity(let entity):
            return [.entity(name, [entity.rawValue])]
        case .addresses(let prefix, let except, let space):
            return failedAddress(prefix, except, space, remote)
        case .names(let selector):
            if remote.kind != .outside {
                return [
                    FailedCondition(
                        .insideCluster, of: name, wanted: [selector.text],
                        text: "toFQDNs never matches addresses of the cluster, and \(remote.classification)")
                ]
            }
            return [.dnsName(name, [selector.text], known: remote.names.sorted())]
        }
    }

    private func failedAddress(
        _ prefix: IPPrefix, _ except: [IPPrefix], _ space: AddressSpace, _ remote: RemoteEnd
    ) -> [FailedCondition] {
        var failed: [FailedCondition] = []
        if space == .outsideCluster, remote.kind != .outside {
            let what = remote.pod == nil ? "nodes" : "pods"
            failed.append(
                FailedCondition(
                    .insideCluster, of: remote.displayName, wanted: ["\(prefix)"], has: remote.address.map { "\($0)" },
                    text: "a CIDR of a Cilium policy never matches \(what), and \(remote.classification)"))
        }
        guard let address = remote.address else {
            // The address does not matter to a prefix that cannot match the end anyway.
            if !failed.isEmpty { return failed }
            return [
                FailedCondition(
                    .addressUnknown, of: remote.displayName, wanted: ["\(prefix)"],
                    text: "the address of \(remote.displayName) is not known, so it is in no CIDR")
            ]
        }
        if let exception = except.first(where: { $0.contains(address) }) {
            failed.append(
                FailedCondition(
                    .exception, of: "\(address)", wanted: ["\(prefix)"], has: "\(exception)",
                    text: "\(address) is inside except \(exception)"))
        } else if !prefix.contains(address) {
            failed.append(.address("\(address)", ["\(prefix)"]))
        }
        return failed
    }
}

extension FailedCondition {
    static func notPod(_ name: String) -> FailedCondition {
        FailedCondition(.notPod, of: name, text: "the rule selects pods, and \(name) is not a pod")
    }

    static func address(_ address: String, _ prefixes: [String]) -> FailedCondition {
        FailedCondition(
            .address, of: address, wanted: prefixes, has: address,
            text: "\(address) is outside \(joinedList(prefixes))")
    }

    static func entity(_ name: String, _ entities: [String]) -> FailedCondition {
        FailedCondition(
            .entity, of: name, wanted: entities,
            text: "\(name) is not in the \(entities.count == 1 ? "entity" : "entities") "
                + joinedList(entities, last: " or "))
    }

    static func dnsName(_ address: String, _ patterns: [String], known: [String]) -> FailedCondition {
        let others = known.isEmpty ? "" : " (only answers for \(joinedList(known)))"
        return FailedCondition(
            .dnsName, of: address, wanted: patterns, has: known.isEmpty ? nil : known.joined(separator: ", "),
            text: "no DNS answer for \(joinedList(patterns, last: " or ")) contained \(address)\(others)")
    }

    /// For conditions that read as one list: makes one condition of all alternatives.
    static func merge(_ kind: Kind) -> ((FailedCondition, [String]) -> FailedCondition)? {
        switch kind {
        case .address: { address($0.of ?? "", $1) }
        case .entity: { $0.key == nil ? entity($0.of ?? "", $1) : $0 }
        case .dnsName:
            { one, patterns in
                dnsName(one.of ?? "", patterns, known: one.has.map { [$0] } ?? [])
            }
        case .port, .portName, .protocol, .icmpType, .label, .identityLabel, .namespaceLabel, .nodeLabel, .namespace,
            .serviceAccount, .exception, .insideCluster, .notPod, .notNode, .addressUnknown, .contested, .method, .path,
            .host, .header, .secret, .queryName, .serverName, .requestKind, .unsatisfiable:
            nil
        }
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
    /// A name of the end for messages: `pod shop/web`, `the host`, `node 10.0.0.2`, `another node`, `192.0.2.1`.
    var displayName: String {
        switch kind {
        case .pod(let pod): "pod \(pod.qualifiedName)"
        case .host: "the host"
        case .remoteNode: address.map { "node \($0)" } ?? "another node"
        case .outside, .contested:
            isMasqueraded
                ? "somebody behind the node's address" + (address.map { " \($0)" } ?? "")
                : address.map { "\($0)" } ?? "outside the cluster"
        }
    }

    /// `10.0.0.7 is pod shop/web`, or without a known address the kind of end.
    var classification: String {
        switch kind {
        case .pod: address.map { "\($0) is \(displayName)" } ?? "\(displayName) is one"
        case .host: address.map { "\($0) is the pod's own node" } ?? "the host is one"
        case .remoteNode: address.map { "\($0) is a node" } ?? "another node is one"
        case .outside: "\(displayName) is outside"
        case .contested: "\(displayName) is \(isSomebodyOnLink ? "somebody's on the link" : "claimed by several")"
        }
    }
}
