import PolicyAPI
import PolicyIR

/// Texts of selectors in lint messages.
enum LintText {
    /// `app=web` for `In [web]`, others with their operator.
    static func condition(_ requirement: LabelRequirement) -> String {
        let key = requirement.key
        switch requirement.operator {
        case .isIn where requirement.values.count == 1: return "\(key)=\(requirement.values[0])"
        case .isIn: return "\(key) in (\(requirement.values.joined(separator: ", ")))"
        case .notIn: return "\(key) not in (\(requirement.values.joined(separator: ", ")))"
        case .exists: return "\(key)"
        case .doesNotExist: return "no \(key)"
        }
    }

    /// `app=web, tier=front`; at most four of them.
    static func selector(_ selector: LabelSelector) -> String {
        let shown = selector.requirements.prefix(4).map(condition).joined(separator: ", ")
        return selector.requirements.count > 4 ? shown + ", ..." : shown
    }

    /// A Cilium selector as written: without the conditions that lowering has added.
    static func written(_ selector: LabelSelector) -> LabelSelector {
        LabelSelector(
            selector.requirements.filter { !$0.isAbout(CiliumKey.namespace) && !$0.isAbout(CiliumKey.cluster) })
    }
}
