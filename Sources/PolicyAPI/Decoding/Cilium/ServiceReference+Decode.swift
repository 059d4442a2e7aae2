extension ServiceReference {
    static let table = FieldTable(
        "spec.egress[].toServices[]", "spec.egressDeny[].toServices[]",
        rows: [.enforced("k8sService", "k8sServiceSelector")])
    static let namedTable = FieldTable(
        paths: table.paths.map { $0 + ".k8sService" }, rows: [.enforced("serviceName", "namespace")])
    static let selectedTable = FieldTable(
        paths: table.paths.map { $0 + ".k8sServiceSelector" }, rows: [.enforced("selector", "namespace")])

    /// Reads an element of `toServices`. With both forms the selector counts (spec 2.5).
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> ServiceReference? {
        guard let fields = table.read(node, &findings) else { return nil }
        let named = fields["k8sService"].map { ($0, decodeNamed($0, &findings)) }
        if let node = fields["k8sServiceSelector"] {
            if let named {
                findings.warn(
                    .noEffect, named.0, "k8sService has no effect beside k8sServiceSelector", "write two elements")
            }
            return decodeSelected(node, &findings)
        }
        if let named { return named.1 }
        findings.error(
            .missingField, node, "the element names no service", "write k8sService or k8sServiceSelector")
        return nil
    }

    private static func decodeNamed(_ node: DocumentNode, _ findings: inout Findings) -> ServiceReference? {
        guard let fields = namedTable.read(node, &findings) else { return nil }
        let namespace = findings.string(fields["namespace"]) ?? ""
        guard let nameNode = fields["serviceName"], nameNode.string != "" else {
            findings.error(
                .missingField, fields["serviceName"] ?? node, "the service has no name", "write serviceName:")
            return nil
        }
        return findings.string(nameNode).map { .named(name: $0, namespace: namespace) }
    }

    private static func decodeSelected(_ node: DocumentNode, _ findings: inout Findings) -> ServiceReference? {
        guard let fields = selectedTable.read(node, &findings) else { return nil }
        let namespace = findings.string(fields["namespace"]) ?? ""
        guard let selector = fields["selector"] else {
            findings.error(.missingField, node, "`selector` is missing", "write selector: with matchLabels")
            return nil
        }
        return LabelSelector.decode(selector, .sourced(default: "any"), &findings).map {
            .selected($0, namespace: namespace)
        }
    }
}
