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
    /// The names of the known namespaces, sorted.
    private let names: [String]
    /// By name of an unknown namespace: a known one that was probably meant.
    private var meantNames: [String: MeantName?] = [:]

    /// What a selector is for.
    private enum Selecting: String {
        case peer, policy
    }

    /// The known namespace that was probably meant by a name.
    private struct MeantName {
        var name: String
        /// Whether it differs in a letter or two.
        var isNear: Bool
    }

    init(_ cluster: LintCluster) {
        self.cluster = cluster
        var labels = cluster.namespaces.mapValues(\.metadata.labels)
        for name in cluster.populated where labels[name] == nil { labels[name] = ["kubernetes.io/metadata.name": name] }
        namespaceLabels = labels
        names = labels.keys.sorted()
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
        check(policy.subject, .policy, "spec.subject", policy.origin, &report)
        for (rules, list) in [(policy.ingress, "from"), (policy.egress, "to")] {
            for rule in rules {
                for (index, peer) in rule.peers.enumerated() {
                    guard case .pods(let selection) = peer else { continue }
                    check(selection, .peer, "\(rule.path).\(list)[\(index)]", policy.origin, &report)
                }
            }
        }
    }

    /// Checks the namespaces that the subject of a clusterwide Cilium policy names.
    mutating func checkNamespaces(ofSubject policy: LoweredPolicy, _ report: inout LintReport) {
        guard case .endpoints(let selector) = policy.subject, policy.origin.namespace.isEmpty,
            let names = SubjectScope(.endpoints(selector))?.namespaces
        else { return }
        let spec = policy.origin.path.isEmpty ? "spec" : policy.origin.path
        warnUnknown(names, .policy, "\(spec).endpointSelector", policy.origin, &report)
    }

    private mutating func check(
        _ selection: PodSelection, _ selecting: Selecting, _ path: String, _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        // All namespaces: whichever there will be. The ends of `reserved:` labels are no pods.
        guard !selection.namespaces.requirements.isEmpty,
            !selection.pods.requirements.contains(where: { $0.source == "reserved" })
        else { return }
        let matching = namespaces(matching: selection.namespaces)
        if matching.names.isEmpty {
            guard !cluster.namespaces.isEmpty else { return }
            warnNamespaces(selection.namespaces, path, origin, &report)
        } else {
            let isComplete = selection.namespaces.requirements.contains { $0.operator == .isIn }
            guard !selection.pods.requirements.isEmpty,
                cluster.pods(matching: .pods(.matching(selection.namespaces), selection.pods)).isEmpty
            else { return }
            if selecting == .policy, SelectsNothingCheck.isOfHostPods(selection.pods, in: matching.names, cluster) {
                return SelectsNothingCheck.warnHostPods(path, origin, &report)
            }
            warn(
                miss: selection.pods, in: matching, selecting, isComplete: isComplete, elsewhere: nil, path, origin,
                &report)
        }
    }

    private mutating func checkEndpoints(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        guard let scope = SubjectScope(.endpoints(selector)),
            !scope.conditions.contains(where: { $0.source == "reserved" }),
            !scope.conditions.contains(where: { $0.key.hasPrefix(CiliumKey.namespaceLabelPrefix) })
        else { return }
        let isOwn = scope.namespaces == [origin.namespace]
        if let wanted = scope.namespaces, !isOwn, wanted.allSatisfy({ namespaceLabels[$0] == nil }) {
            return warnUnknown(wanted, .peer, path, origin, &report)
        }
        let written = LintText.written(selector)
        guard !written.requirements.isEmpty, cluster.pods(matching: .endpoints(selector)).isEmpty,
            // Reported as what it is.
            !NamespaceLabelKeyCheck.isMistaken(written, cluster)
        else { return }
        let range = scope.namespaces.map { KnownNamespaces($0, cluster) } ?? everywhere
        warn(
            miss: written, in: range, .peer, isComplete: scope.namespaces != nil,
            elsewhere: isOwn ? { "select them by k8s:\(CiliumKey.namespace): \($0)" } : nil, path, origin, &report)
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
        let label = SubjectScope.namespaceName
        warn(
            miss: pods, in: namespaces, .peer, isComplete: isComplete,
            elsewhere: scope == nil ? { "select them with namespaceSelector: {matchLabels: {\(label): \($0)}}" } : nil,
            "\(path).podSelector", origin, &report)
    }

    /// Reports a selector that matches no known pod; with `isComplete` it can only select pods of these namespaces. `elsewhere` says how to
    /// select the pods of a namespace that does have such pods, where none is named.
    private func warn(
        miss selector: LabelSelector, in namespaces: KnownNamespaces, _ selecting: Selecting, isComplete: Bool,
        elsewhere: ((String) -> String)?, _ path: String, _ origin: RuleOrigin, _ report: inout LintReport
    ) {
        guard namespaces.isPartlyKnown else { return }
        let miss = namespaces.labels.miss(selector)
        guard miss.near != nil || (isComplete && namespaces.isKnown) else { return }
        let names = namespaces.names
        let place = names.count > 3 ? "" : " of \(names.sorted().joined(separator: ", "))"
        let other = elsewhere.flatMap { hint in namespace(with: selector).map { "\($0) has such pods: " + hint($0) } }
        report.report(
            .selectsNothing, isCertain: miss.near != nil || namespaces.knowsAllPods, path, of: origin,
            "no pod\(place) has \(miss.conditions), so the \(selecting.rawValue) selects nothing",
            other ?? miss.near.map { "did you mean \($0)?" } ?? "compare it with the pod labels")
    }

    /// The first namespace with known pods that a selector matches.
    private func namespace(with selector: LabelSelector) -> String? {
        // A selector that only excludes matches pods everywhere.
        guard selector.requirements.contains(where: { $0.operator == .isIn }) else { return nil }
        let found = cluster.pods(matching: .pods(.matching(LabelSelector()), selector))
        return found.lazy.compactMap { cluster.pods[$0]?.first?.metadata.namespace }.min()
    }

    /// Reports namespaces, named by a Cilium selector, of which none is known but one has a similar name.
    private mutating func warnUnknown(
        _ wanted: Set<String>, _ selecting: Selecting, _ path: String, _ origin: RuleOrigin,
        _ report: inout LintReport
    ) {
        guard !cluster.namespaces.isEmpty, wanted.allSatisfy({ namespaceLabels[$0] == nil }) else { return }
        for name in wanted.sorted() {
            guard let found = meant(by: name) else { continue }
            report.report(
                .selectsNothing, isCertain: found.isNear, path, of: origin,
                "there is no known namespace \(name), so the \(selecting.rawValue) selects nothing",
                "did you mean \(found.name)?")
            return
        }
    }

    private mutating func meant(by name: String) -> MeantName? {
        if let known = meantNames[name] { return known }
        let near = Spelling.nearest(to: name, among: names)
        let found = (near ?? Spelling.completion(of: name, among: names)).map {
            MeantName(name: $0, isNear: near != nil)
        }
        meantNames[name] = .some(found)
        return found
    }

    private mutating func warnNamespaces(
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
                "no known namespace has \(miss.conditions), not even the one named \(namesake)",
                "label the namespace, or select it by kubernetes.io/metadata.name: \(namesake)")
        } else if let named = selector.requirements.first(where: { $0.key == SubjectScope.namespaceName }),
            named.operator == .isIn, let name = named.values.first, let found = meant(by: name)
        {
            report.note(
                .selectsNothing, path, of: origin, "no known namespace has \(miss.conditions)",
                "did you mean \(found.name)?")
        }
    }
}
