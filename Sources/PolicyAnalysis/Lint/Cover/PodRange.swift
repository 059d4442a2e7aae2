import PolicyAPI
import PolicyIR

/// The pods that a peer selects by labels, as conditions that can be compared with those of another peer, whichever kind of
/// policy either is from.
struct PodRange {
    /// The names of their namespaces, `nil` for any.
    private var names: Set<String>?
    /// Conditions on the labels of their namespaces.
    private var namespaces: Set<SubjectScope.Condition> = []
    /// Conditions on their own labels.
    private var labels: Set<SubjectScope.Condition>
    /// Whether only pods can match.
    private var isPodsOnly = true
    /// Whether the conditions are asked of identity labels, which leave out some that pods have.
    private var isOfIdentity: Bool

    /// The range of a peer, `nil` for one that does not select pods by labels.
    init?(_ peer: Peer) {
        switch peer {
        case .endpoints(let selector) where selector.mentionsReserved:
            // Taken verbatim, and asked of other nodes with their labels too.
            labels = Set(selector.requirements.map(PodRange.verbatim))
            isPodsOnly = false
            isOfIdentity = true
        case .endpoints(let selector):
            guard let scope = SubjectScope(.endpoints(selector)) else { return nil }
            let ofNamespaces = scope.conditions.filter(PodRange.isOfNamespace)
            names = scope.namespaces
            namespaces = Set(ofNamespaces.map(PodRange.withoutPrefix))
            labels = scope.conditions.subtracting(ofNamespaces)
            isPodsOnly = scope.isPodsOnly
            isOfIdentity = true
        case .pods(let scope, let selector):
            switch scope {
            case .named(let name): names = [name]
            case .matching(let wanted): namespaces = Set(wanted.requirements.map(SubjectScope.Condition.init))
            }
            labels = Set(selector.requirements.map(SubjectScope.Condition.init))
            isOfIdentity = false
        case .nodes, .entity, .addresses, .names:
            return nil
        }
        // Every namespace has its name as this label.
        for condition in namespaces where condition.key == SubjectScope.namespaceName && condition.operator == .isIn {
            names = names.map { $0.intersection(condition.values) } ?? condition.values
            namespaces.remove(condition)
        }
    }

    /// Whether each end that the other range selects is in this one, whatever ends exist.
    func covers(_ other: PodRange) -> Bool {
        guard labels.count <= other.labels.count, !isPodsOnly || other.isPodsOnly else { return false }
        if let names {
            guard let inner = other.names, inner.isSubset(of: names) else { return false }
        }
        guard labels.isSubset(of: other.labels), namespaces.allSatisfy(other.fulfils) else { return false }
        // A label that one of the two does not see says nothing about the other.
        return isOfIdentity == other.isOfIdentity || labels.allSatisfy { IdentityLabelFilter.keeps($0.key) }
    }

    /// Whether the namespace of each of these pods meets a condition on its labels.
    private func fulfils(_ condition: SubjectScope.Condition) -> Bool {
        if namespaces.contains(condition) { return true }
        guard condition.key == SubjectScope.namespaceName, let names else { return false }
        return switch condition.operator {
        case .isIn: names.isSubset(of: condition.values)
        case .notIn: names.isDisjoint(with: condition.values)
        case .exists: true
        case .doesNotExist: false
        }
    }

    /// A condition with the source as written: only one without a source is about labels of nodes.
    private static func verbatim(_ requirement: LabelRequirement) -> SubjectScope.Condition {
        var condition = SubjectScope.Condition(requirement)
        condition.source = requirement.source
        return condition
    }

    private static func isOfNamespace(_ condition: SubjectScope.Condition) -> Bool {
        condition.source == "any" && condition.key.hasPrefix(CiliumKey.namespaceLabelPrefix)
    }

    /// The condition on the namespace's label itself.
    private static func withoutPrefix(_ condition: SubjectScope.Condition) -> SubjectScope.Condition {
        var condition = condition
        condition.key = String(condition.key.dropFirst(CiliumKey.namespaceLabelPrefix.count))
        return condition
    }
}
