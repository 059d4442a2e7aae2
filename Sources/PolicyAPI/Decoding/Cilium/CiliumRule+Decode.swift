extension CiliumRule {
    static let table = FieldTable(
        "spec",
        rows: [
            .enforced("endpointSelector"),
            .enforced(
                "nodeSelector",
                note: "clusterwide only; enforced by an agent with `--host-policy`, refused by `lab`"),
            .enforced("ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny"),
            .metadata("labels", "description"),
            .metadata("log", note: "checked, but not shown anywhere yet"),
        ])
    static let defaultDenyTable = FieldTable("spec.enableDefaultDeny", rows: [.enforced("ingress", "egress")])
    static let logTable = FieldTable("spec.log", rows: [.metadata("value")])
    /// Characters of `log.value`.
    private static let logLimit = 32

    /// Reads `spec` or an element of `specs` (V1-V4 of docs/spec/cilium-network-policy.md 3.1). The refusal counts only if
    /// there is an error anywhere in the object.
    static func decode(
        _ node: DocumentNode, of policy: CiliumPolicy, _ diagnostics: inout DiagnosticCollector
    ) -> (CiliumRule?, PolicyRefusal) {
        var refusal = PolicyRefusal(origin: policy.origin(of: node), subject: nil, ingress: true, egress: true)
        let before = diagnostics.errorCount
        refusal.subject = refusedSubject(nil, of: policy)
        guard let fields = table.read(node, &diagnostics) else { return (nil, refusal) }
        let hasUnknownField = diagnostics.errorCount > before
        let subject = decodeSubject(fields, of: policy, &diagnostics)
        refusal.subject = subject.map { loweredSubject($0, of: policy) } ?? refusedSubject(fields, of: policy)

        let lists = ElementList.allCases.map { ($0, fields[$0.rawValue]) }
        let isWritten = { (list: ElementList) in
            fields[list.rawValue].map { $0.elements?.isEmpty != true } ?? false
        }
        if !lists.contains(where: { isWritten($0.0) }), !hasUnknownField {
            diagnostics.error(
                .missingField, node, "the rule has no element in ingress, ingressDeny, egress or egressDeny",
                "write at least one; `ingress: [{}]` isolates and allows nothing")
        } else if !hasUnknownField, !node.isFaulty {
            refusal.ingress = isWritten(.ingress) || isWritten(.ingressDeny)
            refusal.egress = isWritten(.egress) || isWritten(.egressDeny)
        }
        // An unknown field may be a misspelt list of deny rules.
        let mayDeny = hasUnknownField || node.isFaulty
        if mayDeny || isWritten(.ingressDeny) { refusal.denies.insert(.ingress) }
        if mayDeny || isWritten(.egressDeny) { refusal.denies.insert(.egress) }
        guard let subject else {
            // The elements are still read, so that every error is reported at once.
            for (list, value) in lists { _ = elements(value, list, isNodeRule: false, &diagnostics) }
            return (nil, refusal)
        }
        var rule = CiliumRule(subject: subject, path: node.path.description, location: node.location)
        var isNodeRule = false
        if case .nodes = subject { isNodeRule = true }
        rule.ingress = elements(fields["ingress"], .ingress, isNodeRule: isNodeRule, &diagnostics)
        rule.ingressDeny = elements(fields["ingressDeny"], .ingressDeny, isNodeRule: isNodeRule, &diagnostics)
        rule.egress = elements(fields["egress"], .egress, isNodeRule: isNodeRule, &diagnostics)
        rule.egressDeny = elements(fields["egressDeny"], .egressDeny, isNodeRule: isNodeRule, &diagnostics)
        rule.description = diagnostics.string(fields["description"]) ?? ""
        rule.log = log(fields["log"], &diagnostics)
        if let deny = fields["enableDefaultDeny"].flatMap({ defaultDenyTable.read($0, &diagnostics) }) {
            rule.defaultDenyIngress = diagnostics.boolean(deny["ingress"])
            rule.defaultDenyEgress = diagnostics.boolean(deny["egress"])
            warnOfUnused(deny["ingress"], rule.ingress + rule.ingressDeny, "ingress", &diagnostics)
            warnOfUnused(deny["egress"], rule.egress + rule.egressDeny, "egress", &diagnostics)
        }
        return (rule, refusal)
    }

    private static func decodeSubject(
        _ fields: Fields, of policy: CiliumPolicy, _ diagnostics: inout DiagnosticCollector
    ) -> Subject? {
        switch (fields["endpointSelector"], fields["nodeSelector"]) {
        case (nil, nil):
            diagnostics.error(
                .missingField, fields.node, "the rule has neither endpointSelector nor nodeSelector",
                "write one; `endpointSelector: {}` selects every pod"
                    + (policy.isClusterwide ? "" : " of the namespace"))
            return nil
        case (.some, .some(let nodes)):
            diagnostics.error(
                .conflict, nodes, "the rule has both endpointSelector and nodeSelector",
                policy.isClusterwide
                    ? "write two rules in `specs`"
                    : "remove nodeSelector, or write a CiliumClusterwideNetworkPolicy with it alone")
            return nil
        case (.some(let node), nil):
            guard var selector = LabelSelector.decode(node, .sourced(default: "any"), &diagnostics) else { return nil }
            if !policy.isClusterwide { dropOverwritten(&selector, node, of: policy, &diagnostics) }
            return .endpoints(selector)
        case (nil, .some(let node)):
            guard policy.isClusterwide else {
                diagnostics.error(
                    .conflict, node, "a CiliumNetworkPolicy cannot select nodes",
                    "write a CiliumClusterwideNetworkPolicy")
                return nil
            }
            return LabelSelector.decode(node, .sourced(default: "any"), &diagnostics).map { .nodes($0) }
        }
    }

    /// A namespaced policy's own namespace replaces a `matchLabels` entry for exactly the namespace label (spec 4.4); any
    /// other condition on the namespace is kept and must match as well.
    private static func dropOverwritten(
        _ selector: inout LabelSelector, _ node: DocumentNode, of policy: CiliumPolicy,
        _ diagnostics: inout DiagnosticCollector
    ) {
        let key = "k8s:" + namespaceLabel
        guard let member = node["matchLabels"]?.members?.first(where: { $0.key == key }) else { return }
        let written = member.value
        selector.requirements.removeAll { $0.key == namespaceLabel && $0.location == member.location }
        if written.string != policy.metadata.namespace {
            diagnostics.warn(
                .noEffect, written,
                "a CiliumNetworkPolicy selects pods of its own namespace only: this value is replaced with \(policy.metadata.namespace)",
                "remove it, or write a CiliumClusterwideNetworkPolicy")
        }
    }

    private static let namespaceLabel = "io.kubernetes.pod.namespace"

    /// The subject with its namespace written out.
    static func loweredSubject(_ subject: Subject, of policy: CiliumPolicy) -> PolicySubject {
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

    /// The subject of a refused rule, as far as it can be read: the pods of its namespace that match the readable
    /// conditions. `nil` for rules that select nodes, and for a clusterwide rule that says nothing of a selector.
    private static func refusedSubject(_ fields: Fields?, of policy: CiliumPolicy) -> PolicySubject? {
        // Its errors are reported already.
        var ignored = DiagnosticCollector()
        if let selector = fields?["endpointSelector"] {
            var readable = LabelSelector.decodeReadable(selector, .sourced(default: "any"), &ignored)
            if !policy.isClusterwide { dropOverwritten(&readable, selector, of: policy, &ignored) }
            return loweredSubject(.endpoints(readable), of: policy)
        }
        if fields?["nodeSelector"] != nil { return nil }
        // A selector without a value, or under a misspelt name, is one.
        let isWritten = fields?.node.members?.contains { $0.key.lowercased().hasPrefix("endpoint") } ?? false
        if policy.isClusterwide, !isWritten { return nil }
        return loweredSubject(.endpoints(LabelSelector()), of: policy)
    }

    private static func elements(
        _ node: DocumentNode?, _ list: ElementList, isNodeRule: Bool, _ diagnostics: inout DiagnosticCollector
    ) -> [CiliumElement] {
        (diagnostics.list(node) ?? []).compactMap {
            CiliumElement.decode($0, list, isNodeRule: isNodeRule, &diagnostics)
        }
    }

    private static func warnOfUnused(
        _ node: DocumentNode?, _ elements: [CiliumElement], _ direction: String,
        _ diagnostics: inout DiagnosticCollector
    ) {
        guard let node, node.boolean == true, elements.isEmpty else { return }
        diagnostics.warn(
            .noEffect, node, "this isolates nothing because the rule has no \(direction) element",
            "write `\(direction): [{}]` to isolate and allow nothing")
    }

    private static func log(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> String {
        guard let node, let fields = logTable.read(node, &diagnostics), let value = fields["value"],
            let text = diagnostics.string(value)
        else { return "" }
        if text.unicodeScalars.count > logLimit {
            diagnostics.error(
                .tooMany, value, "the text has \(text.unicodeScalars.count) characters, more than \(logLimit)",
                "shorten it")
        }
        let isUnprintable = { (scalar: Unicode.Scalar) in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned: true
            default: false
            }
        }
        if text.unicodeScalars.contains(where: isUnprintable) {
            diagnostics.error(.invalidValue, value, "the text contains unprintable characters", "remove them")
        }
        return text
    }
}
