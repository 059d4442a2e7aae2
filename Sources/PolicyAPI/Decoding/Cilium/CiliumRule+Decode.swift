extension CiliumRule {
    static let table = FieldTable(
        "spec",
        rows: [
            .enforced("endpointSelector"),
            .enforced(
                "nodeSelector",
                note: "clusterwide only; `test` and `explain` decide by it, `compile`, `lab` and `agent` refuse it"),
            .enforced("ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny"),
            .metadata("labels", "description"),
            .metadata("log", note: "checked, and shown nowhere yet"),
        ])
    static let defaultDenyTable = FieldTable("spec.enableDefaultDeny", rows: [.enforced("ingress", "egress")])
    static let logTable = FieldTable("spec.log", rows: [.metadata("value")])
    /// Characters of `log.value`.
    private static let logLimit = 32

    /// Reads `spec` or an element of `specs` (V1-V4 of docs/spec/cilium-network-policy.md 3.1). The refusal counts only if
    /// there is an error anywhere in the object.
    static func decode(
        _ node: DocumentNode, of policy: CiliumPolicy, _ findings: inout Findings
    ) -> (CiliumRule?, PolicyRefusal) {
        var refusal = PolicyRefusal(origin: policy.origin(of: node), subject: nil, ingress: true, egress: true)
        let before = findings.errors
        refusal.subject = refusedSubject(nil, of: policy)
        guard let fields = table.read(node, &findings) else { return (nil, refusal) }
        let hasUnknownField = findings.errors > before
        let subject = decodeSubject(fields, of: policy, &findings)
        refusal.subject = subject.map { loweredSubject($0, of: policy) } ?? refusedSubject(fields, of: policy)

        let lists = ElementList.allCases.map { ($0, fields[$0.rawValue]) }
        let isWritten = { (list: ElementList) in
            fields[list.rawValue].map { $0.elements?.isEmpty != true } ?? false
        }
        if !lists.contains(where: { isWritten($0.0) }), !hasUnknownField {
            findings.error(
                .missingField, node, "the rule has no element in ingress, ingressDeny, egress or egressDeny",
                "write at least one; `ingress: [{}]` isolates and allows nothing")
        } else if !hasUnknownField, !node.isFaulty {
            refusal.ingress = isWritten(.ingress) || isWritten(.ingressDeny)
            refusal.egress = isWritten(.egress) || isWritten(.egressDeny)
        }
        // A field that is not known may be a misspelt list of denials.
        let mayDeny = hasUnknownField || node.isFaulty
        if mayDeny || isWritten(.ingressDeny) { refusal.denies.insert(.ingress) }
        if mayDeny || isWritten(.egressDeny) { refusal.denies.insert(.egress) }
        guard let subject else {
            // The elements are still read: every error at once.
            for (list, value) in lists { _ = elements(value, list, isNodeRule: false, &findings) }
            return (nil, refusal)
        }
        var rule = CiliumRule(subject: subject, path: node.path.description, location: node.location)
        var isNodeRule = false
        if case .nodes = subject { isNodeRule = true }
        rule.ingress = elements(fields["ingress"], .ingress, isNodeRule: isNodeRule, &findings)
        rule.ingressDeny = elements(fields["ingressDeny"], .ingressDeny, isNodeRule: isNodeRule, &findings)
        rule.egress = elements(fields["egress"], .egress, isNodeRule: isNodeRule, &findings)
        rule.egressDeny = elements(fields["egressDeny"], .egressDeny, isNodeRule: isNodeRule, &findings)
        rule.description = findings.string(fields["description"]) ?? ""
        rule.log = log(fields["log"], &findings)
        if let deny = fields["enableDefaultDeny"].flatMap({ defaultDenyTable.read($0, &findings) }) {
            rule.defaultDenyIngress = findings.boolean(deny["ingress"])
            rule.defaultDenyEgress = findings.boolean(deny["egress"])
            warnOfUnused(deny["ingress"], rule.ingress + rule.ingressDeny, "ingress", &findings)
            warnOfUnused(deny["egress"], rule.egress + rule.egressDeny, "egress", &findings)
        }
        return (rule, refusal)
    }

    private static func decodeSubject(
        _ fields: Fields, of policy: CiliumPolicy, _ findings: inout Findings
    ) -> Subject? {
        switch (fields["endpointSelector"], fields["nodeSelector"]) {
        case (nil, nil):
            findings.error(
                .missingField, fields.node, "the rule has neither endpointSelector nor nodeSelector",
                "write one; `endpointSelector: {}` selects every pod"
                    + (policy.isClusterwide ? "" : " of the namespace"))
            return nil
        case (.some, .some(let nodes)):
            findings.error(
                .conflict, nodes, "the rule has both endpointSelector and nodeSelector", "write two rules in `specs`")
            return nil
        case (.some(let node), nil):
            guard var selector = LabelSelector.decode(node, .sourced(default: "any"), &findings) else { return nil }
            if !policy.isClusterwide { dropOverwritten(&selector, node, of: policy, &findings) }
            return .endpoints(selector)
        case (nil, .some(let node)):
            guard policy.isClusterwide else {
                findings.error(
                    .conflict, node, "a CiliumNetworkPolicy cannot select nodes",
                    "write a CiliumClusterwideNetworkPolicy")
                return nil
            }
            return LabelSelector.decode(node, .sourced(default: "any"), &findings).map { .nodes($0) }
        }
    }

    /// A namespaced policy's own namespace takes the place of a `matchLabels` entry for exactly the namespace label (spec 4.4);
    /// any other way to ask for a namespace is kept and must hold as well.
    private static func dropOverwritten(
        _ selector: inout LabelSelector, _ node: DocumentNode, of policy: CiliumPolicy, _ findings: inout Findings
    ) {
        let key = "k8s:" + namespaceLabel
        guard let member = node["matchLabels"]?.members?.first(where: { $0.key == key }) else { return }
        let written = member.value
        selector.requirements.removeAll { $0.key == namespaceLabel && $0.location == member.location }
        if written.string != policy.metadata.namespace {
            findings.warn(
                .noEffect, written,
                "a CiliumNetworkPolicy selects pods of its own namespace only: this value is replaced by \(policy.metadata.namespace)",
                "remove it, or write a CiliumClusterwideNetworkPolicy")
        }
    }

    private static let namespaceLabel = "io.kubernetes.pod.namespace"

    private static func loweredSubject(_ subject: Subject, of policy: CiliumPolicy) -> PolicySubject {
        switch subject {
        case .nodes(let selector): return .nodes(selector)
        case .endpoints(var selector):
            if !policy.isClusterwide {
                selector.requirements.append(
                    LabelRequirement(
                        source: "k8s", key: namespaceLabel, operator: .isIn, values: [policy.metadata.namespace]))
            }
            return .endpoints(selector)
        }
    }

    /// Whom a refused rule is about, as far as that can be read: the pods of its namespace that meet the conditions which
    /// can be read. `nil` for rules about nodes, and for a clusterwide rule without a selector.
    private static func refusedSubject(_ fields: Fields?, of policy: CiliumPolicy) -> PolicySubject? {
        // Its errors are told already.
        var told = Findings()
        if let selector = fields?["endpointSelector"] {
            var readable = LabelSelector.decodeReadable(selector, .sourced(default: "any"), &told)
            if !policy.isClusterwide { dropOverwritten(&readable, selector, of: policy, &told) }
            return loweredSubject(.endpoints(readable), of: policy)
        }
        if policy.isClusterwide || fields?["nodeSelector"] != nil { return nil }
        return loweredSubject(.endpoints(LabelSelector()), of: policy)
    }

    private static func elements(
        _ node: DocumentNode?, _ list: ElementList, isNodeRule: Bool, _ findings: inout Findings
    ) -> [CiliumElement] {
        (findings.list(node) ?? []).compactMap { CiliumElement.decode($0, list, isNodeRule: isNodeRule, &findings) }
    }

    private static func warnOfUnused(
        _ node: DocumentNode?, _ elements: [CiliumElement], _ direction: String, _ findings: inout Findings
    ) {
        guard let node, node.boolean == true, elements.isEmpty else { return }
        findings.warn(
            .noEffect, node, "this isolates nothing, because the rule has no \(direction) element",
            "write `\(direction): [{}]` to isolate and allow nothing")
    }

    private static func log(_ node: DocumentNode?, _ findings: inout Findings) -> String {
        guard let node, let fields = logTable.read(node, &findings), let value = fields["value"],
            let text = findings.string(value)
        else { return "" }
        if text.unicodeScalars.count > logLimit {
            findings.error(
                .tooMany, value, "the text has \(text.unicodeScalars.count) characters, more than \(logLimit)",
                "shorten it")
        }
        let isOther = { (scalar: Unicode.Scalar) in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned: true
            default: false
            }
        }
        if text.unicodeScalars.contains(where: isOther) {
            findings.error(.invalidValue, value, "the text holds unprintable characters", "remove them")
        }
        return text
    }
}
