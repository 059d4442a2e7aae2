import PolicyAPI

/// Other names for namespaces and labels, the same everywhere.
struct Renaming {
    private static let keys = [
        "app": "application", "tier": "layer", "team": "group", "zone": "area", "missing": "gone",
    ]
    private static let namespaceKeys = ["kubernetes.io/metadata.name", "io.kubernetes.pod.namespace"]
    private static let labelPrefix = "io.cilium.k8s.namespace.labels."

    func namespace(_ name: String) -> String {
        RandomCluster.namespaces.contains(name) ? "renamed-\(name)" : name
    }

    func labels(_ labels: [String: String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: labels.map { pair($0.key, $0.value) })
    }

    func selector(_ selector: LabelSelector) -> LabelSelector {
        LabelSelector(
            selector.requirements.map { requirement in
                var renamed = requirement
                renamed.key = pair(requirement.key, "").0
                renamed.values = requirement.values.map { pair(requirement.key, $0).1 }
                return renamed
            })
    }

    func service(_ reference: ServiceReference) -> ServiceReference {
        switch reference {
        case .named(let name, let home): .named(name: name, namespace: namespace(home))
        case .selected(let wanted, let home): .selected(selector(wanted), namespace: namespace(home))
        }
    }

    private func pair(_ key: String, _ value: String) -> (String, String) {
        if Renaming.namespaceKeys.contains(key) { return (key, namespace(value)) }
        if key.hasPrefix(Renaming.labelPrefix) {
            let (inner, renamed) = pair(String(key.dropFirst(Renaming.labelPrefix.count)), value)
            return (Renaming.labelPrefix + inner, renamed)
        }
        guard let renamed = Renaming.keys[key] else { return (key, value) }
        return (renamed, value.isEmpty ? value : "v-\(value)")
    }
}

extension RandomCluster {
    /// Renames everywhere: objects, selectors, and the names that selectors ask for.
    mutating func rename(_ names: Renaming) {
        func rename(_ meta: inout ObjectMeta) {
            meta.namespace = names.namespace(meta.namespace)
            meta.labels = names.labels(meta.labels)
        }
        objects.namespaces = objects.namespaces.map {
            var meta = $0.metadata
            meta.name = names.namespace(meta.name)
            rename(&meta)
            return Namespace(metadata: meta)
        }
        for index in objects.pods.indices { rename(&objects.pods[index].metadata) }
        for index in objects.nodes.indices { rename(&objects.nodes[index].metadata) }
        for index in objects.cidrGroups.indices { rename(&objects.cidrGroups[index].metadata) }
        for index in objects.services.indices {
            rename(&objects.services[index].metadata)
            objects.services[index].selector = names.labels(objects.services[index].selector)
        }
        for index in objects.endpointSlices.indices { rename(&objects.endpointSlices[index].metadata) }
        for index in objects.networkPolicies.indices {
            rename(&objects.networkPolicies[index].metadata)
            objects.networkPolicies[index].podSelector = names.selector(objects.networkPolicies[index].podSelector)
        }
        changeNetworkRules { rule in
            rule.peers = rule.peers.map { peer in
                guard case .pods(let namespaces, let pods) = peer else { return peer }
                return .pods(namespaces: namespaces.map(names.selector), pods: pods.map(names.selector))
            }
        }
        for index in objects.ciliumPolicies.indices {
            rename(&objects.ciliumPolicies[index].metadata)
            for rule in objects.ciliumPolicies[index].rules.indices {
                guard case .endpoints(let selector) = objects.ciliumPolicies[index].rules[rule].subject else {
                    continue
                }
                objects.ciliumPolicies[index].rules[rule].subject = .endpoints(names.selector(selector))
            }
        }
        for index in objects.clusterPolicies.indices { objects.clusterPolicies[index].rename(names) }
        changeElements { element in
            if let selectors = element.endpoints.value { element.endpoints = .some(selectors.map(names.selector)) }
            if let selectors = element.nodes.value { element.nodes = .some(selectors.map(names.selector)) }
            if let services = element.services.value { element.services = .some(services.map(names.service)) }
            guard let set = element.cidrSet.value else { return }
            element.cidrSet = .some(
                set.map { entry in
                    guard case .groups(let selector) = entry.source else { return entry }
                    return CIDRRule(source: .groups(names.selector(selector)), except: entry.except)
                })
        }
    }
}

extension ClusterPolicy {
    /// Renames in its subject and its peers.
    fileprivate mutating func rename(_ names: Renaming) {
        func selection(_ written: PodSelection) -> PodSelection {
            PodSelection(namespaces: names.selector(written.namespaces), pods: names.selector(written.pods))
        }
        func rules(_ written: [ClusterPolicyRule]) -> [ClusterPolicyRule] {
            written.map { rule in
                var rule = rule
                rule.peers = rule.peers.map { peer in
                    switch peer {
                    case .pods(let wanted): .pods(selection(wanted))
                    case .nodes(let wanted): .nodes(names.selector(wanted))
                    case .networks, .names: peer
                    }
                }
                return rule
            }
        }
        subject = selection(subject)
        ingress = rules(ingress)
        egress = rules(egress)
    }
}
