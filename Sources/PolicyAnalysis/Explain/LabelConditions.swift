import PolicyAPI
import PolicyIR

extension LabelRequirement {
    /// The condition in kubectl syntax: `tier=front`, `tier in (a, b)`, `tier notin (a)`, `tier`, `!tier`.
    func text(key: String) -> String {
        switch `operator` {
        case .isIn: values.count == 1 ? "\(key)=\(values[0])" : "\(key) in (\(values.joined(separator: ", ")))"
        case .notIn: "\(key) notin (\(values.joined(separator: ", ")))"
        case .exists: key
        case .doesNotExist: "no \(key)"
        }
    }

    /// Compares this condition with an object's label.
    ///
    /// - Parameters:
    ///   - kind: the kind of condition.
    ///   - value: the object's value of the key, `nil` when absent.
    ///   - holder: the object: `pod shop/web`, `namespace shop`, `node a`.
    ///   - noun: how the object's labels are called, with a trailing space; empty to omit it.
    ///   - written: the key as written, when the requirement has another.
    /// - Returns: the failure, `nil` when the label matches.
    func failure(
        _ kind: FailedCondition.Kind, value: String?, of holder: String, noun: String = "label ",
        key written: String? = nil
    ) -> FailedCondition? {
        if accepts(value) { return nil }
        let key = written ?? key
        let present = value.map { $0.isEmpty ? key : "\(key)=\($0)" }
        let words =
            switch `operator` {
            case .isIn, .exists: "lacks \(noun)\(text(key: key))" + (present.map { " (has \($0))" } ?? "")
            case .notIn, .doesNotExist: "has \(noun)\(present ?? key) (wanted: \(text(key: key)))"
            }
        return FailedCondition(
            kind, of: holder, key: key, operator: `operator`, wanted: values, has: value, text: "\(holder) \(words)")
    }
}

extension NamespaceScope {
    /// The conditions that exclude a namespace.
    func failedConditions(_ name: String, labels: [String: String]) -> [FailedCondition] {
        let holder = "namespace \(name)"
        switch self {
        case .named(let wanted):
            if name == wanted { return [] }
            return [
                FailedCondition(
                    .namespace, of: holder, wanted: [wanted], has: name,
                    text: "\(holder) is not \(wanted): a podSelector alone selects pods of the policy's namespace")
            ]
        case .matching(let selector):
            return selector.requirements.compactMap { requirement in
                guard requirement.key == "kubernetes.io/metadata.name", requirement.operator == .isIn else {
                    return requirement.failure(.namespaceLabel, value: labels[requirement.key], of: holder, noun: "")
                }
                return requirement.accepts(labels[requirement.key])
                    ? nil
                    : FailedCondition(
                        .namespace, of: holder, key: requirement.key, operator: requirement.operator,
                        wanted: requirement.values, has: name,
                        text: "\(holder) is not \(joinedList(requirement.values, last: " or "))")
            }
        }
    }
}

extension LabelSelector {
    /// The conditions of a selector of Cilium labels that an endpoint does not meet. Labels for its namespace or service
    /// account are reported as such.
    func failedConditions(_ labels: CiliumLabels, pod: Pod?, called name: String) -> [FailedCondition] {
        requirements.compactMap { $0.ciliumFailure(labels, pod: pod, called: name) }
    }
}

extension LabelRequirement {
    /// The failure of a condition for a node, with its own text where `fromNodes` and `toNodes` require another node.
    func nodeFailure(_ labels: CiliumLabels, called name: String) -> FailedCondition? {
        let value = labels.value(source: source, key: key)
        if accepts(value) { return nil }
        let written = source == "any" || source == "node" ? key : "\(source):\(key)"
        if source == "reserved", key == ReservedIdentity.remoteNode.labelKey, `operator` == .exists {
            return FailedCondition(
                .entity, of: name, key: written, operator: `operator`,
                text: "\(name) is the pod's own node, and only other nodes match")
        }
        return failure(.nodeLabel, value: value, of: name, key: written)
    }

    /// The failure of a condition on endpoints for another node, whose labels selectors with a `reserved:` key see.
    func endpointFailure(ofNode labels: CiliumLabels, called name: String) -> FailedCondition? {
        source == "reserved" ? ciliumFailure(labels, pod: nil, called: name) : nodeFailure(labels, called: name)
    }

    fileprivate func ciliumFailure(_ labels: CiliumLabels, pod: Pod?, called name: String) -> FailedCondition? {
        let value = labels.value(source: source, key: key)
        if accepts(value) { return nil }
        let written = source == "any" || source == "k8s" ? key : "\(source):\(key)"
        guard let pod, source != "reserved" else {
            let kind: FailedCondition.Kind = source == "reserved" ? .entity : .label
            return failure(kind, value: value, of: pod == nil ? name : "pod \(name)", key: written)
        }
        let holder = "pod \(pod.qualifiedName)"
        let namespace = "namespace \(pod.metadata.namespace)"
        if isAbout(CiliumKey.namespace), `operator` == .isIn {
            // Lowering adds the policy's namespace; a condition that is written in the policy has a location.
            let why = location == nil ? ": a selector without a namespace selects pods of the policy's namespace" : ""
            return FailedCondition(
                .namespace, of: namespace, key: written, operator: `operator`, wanted: values, has: value,
                text: "\(namespace) is not \(joinedList(values, last: " or "))\(why)")
        }
        if isAbout(CiliumKey.serviceAccount), `operator` == .isIn {
            return FailedCondition(
                .serviceAccount, of: holder, key: written, operator: `operator`, wanted: values, has: value,
                text:
                    "\(holder) runs as service account \(pod.serviceAccount), not \(joinedList(values, last: " or "))")
        }
        if key.hasPrefix(CiliumKey.namespaceLabelPrefix) {
            return failure(
                .namespaceLabel, value: value, of: namespace, noun: "",
                key: String(key.dropFirst(CiliumKey.namespaceLabelPrefix.count)))
        }
        if value == nil, source == "any" || source == "k8s", !IdentityLabelFilter.keeps(key) {
            let own = pod.metadata.labels[key]
            return FailedCondition(
                .identityLabel, of: holder, key: written, operator: `operator`, wanted: values, has: own,
                text: "Cilium policies ignore the label \(key)\(own == nil ? "" : ", which \(holder) has")")
        }
        return failure(.label, value: value, of: holder, key: written)
    }
}
