/// Whom a policy selects, as conditions that can be compared without pods.
struct SubjectScope {
    /// A condition without the place where it is written. The sources `any` and `k8s` are both pods' labels.
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
    }

    /// The namespaces that the pods are of, `nil` for any.
    var namespaces: Set<String>?
    /// What must hold of the pods besides.
    var conditions: Set<Condition>

    /// The scope of a subject, `nil` for one that is no pods.
    init?(_ subject: LoweredPolicy.Subject) {
        switch subject {
        case .pods(let namespace, let selector):
            namespaces = [namespace]
            conditions = Set(selector.requirements.map(Condition.init))
        case .endpoints(let selector):
            var names: Set<String>?
            var others: Set<Condition> = []
            for requirement in selector.requirements {
                if requirement.isAbout(CiliumKey.namespace), requirement.operator == .isIn {
                    names = names.map { $0.intersection(requirement.values) } ?? Set(requirement.values)
                } else {
                    others.insert(Condition(requirement))
                }
            }
            namespaces = names
            conditions = others
        default:
            return nil
        }
    }

    /// Whether every pod of the other scope is of this one, whichever pods there are.
    func covers(_ other: SubjectScope) -> Bool {
        if let namespaces {
            guard let inner = other.namespaces, inner.isSubset(of: namespaces) else { return false }
        }
        return conditions.isSubset(of: other.conditions)
    }
}
