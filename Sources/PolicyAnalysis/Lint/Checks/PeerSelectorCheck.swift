import PolicyAPI
import PolicyIR

/// The part of `SelectsNothingCheck` that checks peers.
struct PeerSelectorCheck {
    private let cluster: LintCluster
    private let namespaceLabels: [String: [String: String]]
    /// The names of namespaces by a label of theirs.
    private let namesByLabel: [String: [String: [String]]]
    private let knownLabels: KnownLabels
    /// By selector of namespaces, wherever it is written: those it matches.
    private var matching: [Set<SubjectScope.Condition>: KnownNamespaces] = [:]
    private let everywhere: KnownNamespaces

    init(_ cluster: LintCluster) {
        self.cluster = cluster
        var labels = cluster.namespaces.mapValues(\.metadata.labels)
        for name in cluster.populated where labels[name] == nil { labels[name] = ["kubernetes.io/metadata.name": name] }
        namespaceLabels = labels
        knownLabels = KnownLabels(Array(labels.values))
        var namesByLabel: [String: [String: [String]]] = [:]
        for (name, labels) in labels {
            for (key, value) in labels { namesByLabel[key, default: [:]][value, default: []].append(name) }
        }
        self.namesByLabel = namesByLabel
        everywhere = KnownNamespaces(cluster.populated, cluster)
    }

    mutating func check(_ policy: NetworkPolicy, _ report: inout LintReport) {
        let origin = PolicyLowering.origin(of: policy)
        for (rules, list) in [(policy.ingress, "from"), (policy.egress, "to")] {
            for rule in rules {
                for (index, peer) in rule.peers.enumerated() {
                    let path = "\(rule.path).\(list)[\(index)]"
                    switch peer {
                    case .pods(nil, let pods?):
                        // Reported as what it is.
                        if DNSPeerCheck.isMistaken(pods, in: policy.metadata.namespace, cluster) { continue }
                        checkPods(
                            pods, in: KnownNamespaces([policy.metadata.namespace], cluster), isComplete: true, path,
                            origin, &report)
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
                    let matching = namespaces(matching: selection.namespaces)
                    let path = "\(rule.path).\(list)[\(index)]"
                    if matching.names.isEmpty {
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
        let written = LintText.written(selector)
        guard !written.requirements.isEmpty, cluster.pods(matching: .endpoints(selector)).isEmpty else { return }
        let range = scope.namespaces.map { KnownNamespaces($0, cluster) } ?? everywhere
        warn(miss: written, in: range, isComplete: scope.namespaces != nil, path, origin, &report)
    }

    private mutating func namespaces(matching selector: LabelSelector) -> KnownNamespaces {
        let conditions = Set(selector.requirements.map(SubjectScope.Condition.init))
        if let known = matching[conditions] { return known }
        let wanted = selector.requirements.first { $0.operator == .isIn }
        let candidates =
            wanted.map { wanted in wanted.values.flatMap { namesByLabel[wanted.key]?[$0] ?? [] } }
            ?? Array(namespaceLabels.keys)
        let names = Set(candidates.filter { selector.matches(namespaceLabels[$0] ?? [:]) })
        let found = KnownNamespaces(names, cluster)
        matching[conditions] = found
        return found
    }

    private mutating func checkNamespaces(
        _ namespaces: LabelSelector, _ pods: LabelSelector?, _ path: String, _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        let matching = self.namespaces(matching: namespaces)
        if matching.names.isEmpty {
            guard !cluster.namespaces.isEmpty else { return }
            warnNamespaces(namespaces, "\(path).namespaceSelector", origin, &report)
        } else if let pods {
            // A selector that requires a label and matches namespaces means those; one that excludes may mean others as well.
            let isComplete = namespaces.requirements.contains { $0.operator == .isIn }
            checkPods(pods, in: matching, scope: namespaces, isComplete: isComplete, path, origin, &report)
        }
    }

    private func checkPods(
        _ pods: LabelSelector, in namespaces: KnownNamespaces, scope: LabelSelector? = nil, isComplete: Bool,
        _ path: String,
        _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        let range: NamespaceScope = scope.map { .matching($0) } ?? .named(namespaces.names.first ?? "")
        guard !pods.requirements.isEmpty, cluster.pods(matching: .pods(range, pods)).isEmpty else { return }
        warn(miss: pods, in: namespaces, isComplete: isComplete, "\(path).podSelector", origin, &report)
    }

    /// Reports a peer that matches no known pod; with `isComplete` it can only select pods of these namespaces.
    private func warn(
        miss selector: LabelSelector, in namespaces: KnownNamespaces, isComplete: Bool, _ path: String,
        _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        guard namespaces.isPartlyKnown else { return }
        let miss = namespaces.labels.miss(selector)
        guard miss.near != nil || (isComplete && namespaces.isKnown) else { return }
        let names = namespaces.names
        let place = names.count > 3 ? "" : " of \(names.sorted().joined(separator: ", "))"
        report.report(
            .selectsNothing, isCertain: miss.near != nil || namespaces.knowsAllPods, path, of: origin,
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
