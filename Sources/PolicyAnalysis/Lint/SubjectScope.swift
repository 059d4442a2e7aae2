import PolicyAPI
import PolicyIR

/// The subject of a policy as conditions that can be compared without pods.
struct SubjectScope: Hashable {
    /// A condition without its location. The sources `any` and `k8s` both denote pod labels.
    struct Condition: Hashable {
        var source: String
        var key: String
        var `operator`: LabelRequirement.Operator
        var values: Set<String>

        init(_ requirement: LabelRequirement) {
            source = requirement.source == "k8s" ? "any" : requirement.source
            key = requirement.key
            `operator` = requirement.operator
            values = Set(requirement.values)
        }

        /// Whether each pod meets one of the two.
        func isOpposite(of other: Condition) -> Bool {
            guard source == other.source, key == other.key else { return false }
            switch (`operator`, other.operator) {
            case (.isIn, .notIn), (.notIn, .isIn): return values == other.values
            case (.exists, .doesNotExist), (.doesNotExist, .exists): return true
            case (.isIn, _), (.notIn, _), (.exists, _), (.doesNotExist, _): return false
            }
        }

        /// A condition on the labels of the pods' namespace, distinct from one on their own labels.
        static func ofNamespace(_ requirement: LabelRequirement) -> Condition {
            var condition = Condition(requirement)
            condition.source = "namespace"
            return condition
        }
    }

    /// The label by which every namespace has its name.
    static let namespaceName = "kubernetes.io/metadata.name"

    /// The namespaces of the pods, `nil` for any.
    var namespaces: Set<String>?
    /// The other conditions on the pods.
    var conditions: Set<Condition>
    /// Whether only pods can match: a Cilium selector without namespace or cluster may match `reserved:` ends as well.
    var isPodsOnly: Bool

    /// The scope of a subject, `nil` for one that does not select pods.
    init?(_ subject: PolicySubject) {
        switch subject {
        case .pods(.named(let namespace), let selector):
            namespaces = [namespace]
            conditions = Set(selector.requirements.map(Condition.init))
            isPodsOnly = true
        case .pods(.matching(let labels), let selector):
            var names: Set<String>?
            var others = Set(selector.requirements.map(Condition.init))
            for requirement in labels.requirements {
                if requirement.key == SubjectScope.namespaceName, requirement.operator == .isIn {
                    names = names.map { $0.intersection(requirement.values) } ?? Set(requirement.values)
                } else {
                    others.insert(.ofNamespace(requirement))
                }
            }
            namespaces = names
            conditions = others
            isPodsOnly = true
        case .endpoints(let selector):
            var names: Set<String>?
            var others: Set<Condition> = []
            var isPodsOnly = false
            for requirement in selector.requirements {
                if requirement.isAbout(CiliumKey.namespace), requirement.operator == .isIn {
                    names = names.map { $0.intersection(requirement.values) } ?? Set(requirement.values)
                } else if SubjectScope.holdsOfEveryPod(requirement) {
                    isPodsOnly = true
                } else {
                    others.insert(Condition(requirement))
                }
            }
            namespaces = names
            conditions = others
            self.isPodsOnly = isPodsOnly || names != nil
        case .nodes:
            return nil
        }
    }

    /// Whether a condition matches every pod: lowering adds a namespace and the local cluster to selectors of pods.
    private static func holdsOfEveryPod(_ requirement: LabelRequirement) -> Bool {
        if requirement.isAbout(CiliumKey.namespace) { return requirement.operator == .exists }
        return requirement.isAbout(CiliumKey.cluster) && requirement.operator == .isIn
            && requirement.values == [CiliumKey.localCluster]
    }

    /// Whether some pod may be in both, as far as namespaces tell.
    func mayMeet(_ other: SubjectScope) -> Bool {
        guard let namespaces, let others = other.namespaces else { return true }
        return !namespaces.isDisjoint(with: others)
    }

    /// Whether every pod of the other scope is in this one, whatever pods exist.
    func covers(_ other: SubjectScope) -> Bool {
        if let namespaces {
            guard let inner = other.namespaces, inner.isSubset(of: namespaces) else { return false }
        }
        return conditions.count <= other.conditions.count && (!isPodsOnly || other.isPodsOnly)
            && conditions.isSubset(of: other.conditions)
    }
}
