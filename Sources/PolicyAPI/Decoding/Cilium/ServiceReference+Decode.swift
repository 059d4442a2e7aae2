extension ServiceReference {
    static let table = FieldTable(
        "spec.egress[].toServices[]", "spec.egressDeny[].toServices[]",
        rows: [.enforced("k8sService", "k8sServiceSelector")])
    static let namedTable = FieldTable(
        paths: table.paths.map { $0 + ".k8sService" }, rows: [.enforced("serviceName", "namespace")])
    static let selectedTable = FieldTable(
        paths: table.paths.map { $0 + ".k8sServiceSelector" }, rows: [.enforced("selector", "namespace")])

    /// Reads an element of `toServices`. With both forms the selector counts (spec 2.5).
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ServiceReference? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        let named = fields["k8sService"].map { ($0, decodeNamed($0, &diagnostics)) }
        if let node = fields["k8sServiceSelector"] {
            if let named {
                diagnostics.warn(
                    .noEffect, named.0, "k8sService has no effect together with k8sServiceSelector",
                    "write two elements")
            }
            return decodeSelected(node, &diagnostics)
        }
        if let named { return named.1 }
        diagnostics.error(
            .missingField, node, "the element does not name a service", "write k8sService or k8sServiceSelector")
        return nil
    }

    private static func decodeNamed(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ServiceReference?
    {
        guard let fields = namedTable.read(node, &diagnostics) else { return nil }
        let namespace = diagnostics.string(fields["namespace"]) ?? ""
        guard let nameNode = fields["serviceName"], nameNode.string != "" else {
            diagnostics.error(
                .missingField, fields["serviceName"] ?? node, "the service has no name", "write serviceName:")
            return nil
        }
        return diagnostics.string(nameNode).map { .named(name: $0, namespace: namespace) }
    }

    private static func decodeSelected(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector)
        -> ServiceReference?
    {
        guard let fields = selectedTable.read(node, &diagnostics) else { return nil }
        let namespace = diagnostics.string(fields["namespace"]) ?? ""
        guard let selector = fields["selector"] else {
            diagnostics.error(.missingField, node, "`selector` is missing", "write selector: with matchLabels")
            return nil
        }
        return LabelSelector.decode(selector, .sourced(default: "any"), &diagnostics).map {
            .selected($0, namespace: namespace)
        }
    }
}
