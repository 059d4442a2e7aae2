import PolicyAPI

/// The labels of known pods or namespaces: finds the condition of a selector that nothing matches, and what was probably
/// intended.
struct KnownLabels {
    private let sets: [[String: String]]
    /// Values by key.
    private let values: [String: Set<String>]

    init(_ sets: [[String: String]]) {
        self.sets = sets
        var values: [String: Set<String>] = [:]
        for set in sets {
            for (key, value) in set { values[key, default: []].insert(value) }
        }
        self.values = values
    }

    /// Why nothing matches a selector.
    struct Miss {
        /// The conditions that nothing matches: a single one, or several in combination.
        var conditions: String
        /// An existing label that is similar to the required one.
        var near: String?
    }

    /// Why nothing matches a selector. Labels are compared regardless of their source.
    func miss(_ selector: LabelSelector) -> Miss {
        for requirement in selector.requirements
        where !sets.contains(where: { requirement.accepts($0[requirement.key]) }) {
            return Miss(conditions: LintText.condition(requirement), near: nearest(requirement))
        }
        return Miss(conditions: LintText.selector(selector))
    }

    /// Whether anything has a label of this key.
    func has(key: String) -> Bool { values[key] != nil }

    private func nearest(_ requirement: LabelRequirement) -> String? {
        let keys = values.keys.sorted()
        guard requirement.operator == .isIn, let wanted = requirement.values.first else {
            return Spelling.nearest(to: requirement.key, among: keys.filter { $0 != requirement.key })
        }
        if let value = Spelling.nearest(to: wanted, among: (values[requirement.key] ?? []).sorted()) {
            return "\(requirement.key)=\(value)"
        }
        let carriers = keys.filter { $0 != requirement.key && values[$0]?.contains(wanted) == true }
        // The value of a similar key: `apps=web`, or `app` for `app.kubernetes.io/name`.
        let near =
            Spelling.nearest(to: requirement.key, among: carriers)
            ?? carriers.first { KnownLabels.sameWord($0, requirement.key) }
        return near.map { "\($0)=\(wanted)" }
    }

    private static func sameWord(_ left: String, _ right: String) -> Bool {
        let names: Set<String> = ["app", "name", "k8s-app", "app.kubernetes.io/name"]
        return names.contains(left) && names.contains(right)
    }
}
