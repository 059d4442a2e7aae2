import PolicyAPI
import PolicyIR

/// The part of `SelectsNothingCheck` that checks peers.
struct PeerSelectorCheck {
    private let cluster: LintCluster
    private let namespaceLabels: [String: [String: String]]
    private let knownLabels: KnownLabels

    init(_ cluster: LintCluster) {
        self.cluster = cluster
        var labels = cluster.namespaces.mapValues(\.metadata.labels)
        for name in cluster.populated where labels[name] == nil { labels[name] = ["kubernetes.io/metadata.name": name] }
        namespaceLabels = labels
        knownLabels = KnownLabels(Array(labels.values))
    }

    mutating func check(_ policy: NetworkPolicy, _ report: inout LintReport) {
        let origin = PolicyLowering.lower(policy).origin
        for (rules, list) in [(policy.ingress, "from"), (policy.egress, "to")] {
            for rule in rules {
                for (index, peer) in rule.peers.enumerated() {
                    let path = "\(rule.path).\(list)[\(index)]"
                    switch peer {
                    case .pods(nil, let pods?):
                        // Reported as what it is.
                        if DNSPeerCheck.isMistaken(pods, in: policy.metadata.namespace, cluster) { continue }
                        checkPods(pods, in: [policy.metadata.namespace], isComplete: true, path, origin, &report)
                    case .pods(let namespaces?, let pods):
                        checkNamespaces(namespaces, pods, path, origin, &report)
                    case .pods(nil, nil), .ipBlock: break
                    }
                }
            }
        }
    }

    mutating func check(_ policy: CiliumPolicy, _ report: inout LintReport) {
        for rule in policy.rules {
            let scope = CiliumScope(policy, rule)
            let origin = PolicyLowering.origin(of: rule, in: policy)
            for (elements, field) in [
                (rule.ingress + rule.ingressDeny, "fromEndpoints"), (rule.egress + rule.egressDeny, "toEndpoints"),
            ] {
                for element in elements {
                    for (index, selector) in (element.endpoints.value ?? []).enumerated() {
                        if DNSPeerCheck.isMistaken(scope.peer(selector), in: scope.namespace, cluster) { continue }
                        checkEndpoints(scope.peer(selector), "\(element.path).\(field)[\(index)]", origin, &report)
                    }
                }
            }
        }
    }

    mutating func check(_ policy: ClusterPolicy, _ report: inout LintReport) {
        for (rules, list) in [(policy.ingress, "from"), (policy.egress, "to")] {
            for rule in rules {
                for (index, peer) in rule.peers.enumerated() {
                    // A peer of all namespaces means whichever there will be.
                    guard case .pods(let selection) = peer, !selection.namespaces.requirements.isEmpty else { continue }
                    let matching = Set(namespaceLabels.filter { selection.namespaces.matches($0.value) }.keys)
                    let path = "\(rule.path).\(list)[\(index)]"
                    if matching.isEmpty {
                        guard !cluster.namespaces.isEmpty else { continue }
                        warnNamespaces(selection.namespaces, path, policy.origin, &report)
                    } else {
                        let isComplete = selection.namespaces.requirements.contains { $0.operator == .isIn }
                        guard !selection.pods.requirements.isEmpty,
                            cluster.pods(matching: .pods(.matching(selection.namespaces), selection.pods)).isEmpty
                        else { continue }
                        warn(miss: selection.pods, in: matching, isComplete: isComplete, path, policy.origin, &report)
                    }
                }
            }
        }
    }

    private func checkEndpoints(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        guard let scope = SubjectScope(.endpoints(selector)),
            !scope.conditions.contains(where: { $0.source == "reserved" }),
            !scope.conditions.contains(where: { $0.key.hasPrefix(CiliumKey.namespaceLabelPrefix) })
        else { return }
        let names = scope.namespaces ?? cluster.populated
        let written = LintText.written(selector)
        guard !written.requirements.isEmpty, cluster.pods(matching: .endpoints(selector)).isEmpty else { return }
        warn(miss: written, in: names, isComplete: scope.namespaces != nil, path, origin, &report)
    }

    private func checkNamespaces(
        _ namespaces: LabelSelector, _ pods: LabelSelector?, _ path: String, _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        let matching = Set(namespaceLabels.filter { namespaces.matches($0.value) }.keys)
        if matching.isEmpty {
            guard !cluster.namespaces.isEmpty else { return }
            warnNamespaces(namespaces, "\(path).namespaceSelector", origin, &report)
        } else if let pods {
            // A selector that requires a label and matches namespaces means those; one that excludes may mean others as well.
            let isComplete = namespaces.requirements.contains { $0.operator == .isIn }
            checkPods(pods, in: matching, scope: namespaces, isComplete: isComplete, path, origin, &report)
        }
    }

    private func checkPods(
        _ pods: LabelSelector, in names: Set<String>, scope: LabelSelector? = nil, isComplete: Bool, _ path: String,
        _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        let range: NamespaceScope = scope.map { .matching($0) } ?? .named(names.first ?? "")
        guard !pods.requirements.isEmpty, cluster.pods(matching: .pods(range, pods)).isEmpty else { return }
        warn(miss: pods, in: names, isComplete: isComplete, "\(path).podSelector", origin, &report)
    }

    /// Reports a peer that matches no known pod; with `isComplete` it can only select pods of these namespaces.
    private func warn(
        miss selector: LabelSelector, in names: Set<String>, isComplete: Bool, _ path: String, _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        let isKnown = !names.isEmpty && names.isSubset(of: cluster.populated)
        guard isKnown || !names.isDisjoint(with: cluster.populated) else { return }
        let miss = cluster.labels(of: names).miss(selector)
        guard miss.near != nil || (isComplete && isKnown) else { return }
        let place = names.count > 3 ? "" : " of \(names.sorted().joined(separator: ", "))"
        report.report(
            .selectsNothing, isCertain: miss.near != nil || cluster.knowsAllPods(of: names), path, of: origin,
            "no pod\(place) has \(miss.conditions), so the peer selects nothing",
            miss.near.map { "did you mean \($0)?" } ?? "compare it with the pod labels")
    }

    private func warnNamespaces(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        let miss = knownLabels.miss(selector)
        let namesake = selector.requirements.flatMap(\.values).first { namespaceLabels[$0] != nil }
        if let near = miss.near {
            report.warn(
                .selectsNothing, path, of: origin, "no known namespace has \(miss.conditions)",
                "did you mean \(near)?")
        } else if let namesake {
            report.warn(
                .selectsNothing, path, of: origin,
                "no known namespace has \(miss.conditions); the namespace \(namesake) does not",
                "label the namespace, or select it by kubernetes.io/metadata.name: \(namesake)")
        }
    }
}
