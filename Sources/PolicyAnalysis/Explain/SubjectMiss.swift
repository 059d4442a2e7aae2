public import PolicyAPI
import PolicyIR

/// A policy that does not select a pod only because of one condition of its subject selector.
public struct SubjectMiss: Hashable, Sendable {
    /// The policy.
    public var policy: RuleOrigin
    /// The condition that failed.
    public var failed: FailedCondition

    /// A miss.
    public init(policy: RuleOrigin, failed: FailedCondition) {
        self.policy = policy
        self.failed = failed
    }
}

extension ReferenceEvaluator {
    /// The policies that would change the verdict of a flow if they selected its pod, and do not because of what looks like a
    /// mistake: a label that the pod lacks, a mistyped value, one condition of several, the wrong namespace. A selector for
    /// another app (`app=db` for a pod with `app=web`) is not a mistake.
    ///
    /// - Parameters:
    ///   - side: the flow as seen by the pod.
    ///   - isDenied: whether the flow is denied by isolation, so that policies with a rule for it count; else those that isolate.
    ///   - limit: the maximum number of misses.
    /// - Returns: the misses, sorted by policy.
    func subjectMisses(_ side: FlowSide, isDenied: Bool, limit: Int = 3) -> [SubjectMiss] {
        guard let pod = side.subject else { return [] }
        let labels = view.ciliumLabels(of: pod)
        var misses: [SubjectMiss] = []
        for policy in policies {
            guard let rules = policy[side.direction] else { continue }
            let matters =
                isDenied ? rules.rules.contains { $0.action == .allow && $0.matches(side) } : rules.isolates
            guard matters,
                let failed = policy.subject.onlyFailure(
                    at: pod, labels, namespaceLabels: view.labels(ofNamespace: pod.metadata.namespace))
            else { continue }
            misses.append(SubjectMiss(policy: policy.origin, failed: failed))
        }
        return Array(misses.sorted { $0.policy < $1.policy }.prefix(limit))
    }
}

extension PolicySubject {
    /// The one condition that keeps the pod from being the subject, if it is the only one and looks like a mistake.
    fileprivate func onlyFailure(
        at pod: Pod, _ labels: CiliumLabels, namespaceLabels: [String: String]
    ) -> FailedCondition? {
        let failed: [FailedCondition]
        let conditions: Int
        let all: [LabelRequirement]
        switch self {
        case .pods(let scope, let selector):
            let ofLabels = selector.requirements.compactMap {
                $0.failure(.label, value: pod.metadata.labels[$0.key], of: "pod \(pod.qualifiedName)")
            }
            switch scope {
            case .named(let namespace):
                failed = (namespace == pod.metadata.namespace ? [] : [.elsewhere(pod, [namespace])]) + ofLabels
                all = selector.requirements
            case .matching(let namespaces):
                failed = scope.failedConditions(pod.metadata.namespace, labels: namespaceLabels) + ofLabels
                all = namespaces.requirements + selector.requirements
            }
            conditions = all.count
        case .endpoints(let selector):
            failed = selector.failedConditions(labels, pod: pod, called: pod.qualifiedName).map {
                $0.kind == .namespace ? .elsewhere(pod, $0.wanted) : $0
            }
            conditions = selector.requirements.count { !$0.isAbout(CiliumKey.namespace) }
            all = selector.requirements
        case .nodes: return nil
        }
        guard failed.count == 1, let only = failed.first, only.canBeMet(within: all) else { return nil }
        switch only.kind {
        // A selector of everything in another namespace, or of namespaces by label, is meant for those namespaces.
        case .namespace:
            let isAboutNamespaces = all.contains { $0.key.hasPrefix(CiliumKey.namespaceLabelPrefix) }
            return conditions > 0 && !isAboutNamespaces ? only : nil
        case .label, .identityLabel, .namespaceLabel, .serviceAccount:
            guard conditions == 1, let value = only.has else { return only }
            return only.operator == .isIn && Spelling.nearest(to: value, among: only.wanted) != nil ? only : nil
        case .port, .portName, .protocol, .icmpType, .nodeLabel, .entity, .address, .exception, .dnsName,
            .insideCluster, .notPod, .notNode, .addressUnknown, .contested, .method, .path, .host, .header, .secret,
            .queryName, .serverName, .requestKind, .unsatisfiable:
            return nil
        }
    }
}

extension FailedCondition {
    /// Whether some value meets this and all other conditions on the same label; two may contradict each other.
    fileprivate func canBeMet(within requirements: [LabelRequirement]) -> Bool {
        let values: [String?] =
            switch `operator` {
            case .isIn, nil: wanted
            case .exists: [""]
            case .notIn, .doesNotExist: [nil]
            }
        let others = requirements.filter { kind == .namespace ? $0.isAbout(CiliumKey.namespace) : $0.key == key }
        return values.contains { value in others.allSatisfy { $0.accepts(value) } }
    }

    fileprivate static func elsewhere(_ pod: Pod, _ wanted: [String]) -> FailedCondition {
        FailedCondition(
            .namespace, of: "pod \(pod.qualifiedName)", wanted: wanted, has: pod.metadata.namespace,
            text: "pod \(pod.qualifiedName) is not in namespace \(joinedList(wanted, last: " or "))")
    }
}
