/// The metadata that every object has.
struct ObjectHeader {
    /// Whether objects of a kind live in a namespace.
    enum Scope {
        case namespaced, cluster
    }

    static let metadataTable = FieldTable(
        "metadata",
        rows: [
            .enforced("name"),
            .enforced("namespace", note: "ignored with a warning on cluster-scoped objects"),
            .enforced("labels", note: "`cidrGroupSelector` matches those of a CiliumCIDRGroup; no effect on a policy"),
            .metadata(
                "annotations", "uid", "generateName", "selfLink", "resourceVersion", "generation", "creationTimestamp",
                "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields",
                "clusterName"),
        ])

    /// Reads `metadata` of an object. A field that cannot be read is empty, with its error.
    static func metadata(
        _ object: DocumentNode, _ scope: Scope, isPolicy: Bool,
        nameSyntax: (String) -> String? = NameSyntax.dnsSubdomain,
        _ diagnostics: inout DiagnosticCollector
    ) -> ObjectMeta {
        var meta = ObjectMeta(name: "", location: object.location)
        if scope == .namespaced { meta.namespace = "default" }
        guard let node = object["metadata"], !node.isNull else {
            diagnostics.error(.missingField, object, "the object has no metadata", "write metadata with a name")
            return meta
        }
        guard let fields = (isPolicy ? metadataTable : .lenient).read(node, &diagnostics) else { return meta }
        if let name = diagnostics.string(fields["name"]), !name.isEmpty {
            meta.name = name
            if let problem = nameSyntax(name), let node = fields["name"] {
                diagnostics.error(.invalidValue, node, "the name \(problem)", "choose another name")
            }
        } else if fields["name"].map({ $0.string != nil }) ?? true {
            diagnostics.error(.missingField, fields["name"] ?? node, "the object has no name", "write metadata.name")
        }
        if let namespace = fields["namespace"], let text = diagnostics.string(namespace), !text.isEmpty {
            switch scope {
            case .cluster:
                diagnostics.warn(.noEffect, namespace, "objects of this kind are cluster-scoped", "remove it")
            case .namespaced:
                meta.namespace = text
                if let problem = NameSyntax.dnsLabel(text) {
                    diagnostics.error(
                        .invalidValue, namespace, "the namespace \(problem)", "write the name of a namespace")
                }
            }
        }
        meta.labels = diagnostics.texts(fields["labels"])
        meta.annotations = diagnostics.texts(fields["annotations"])
        meta.uid = diagnostics.string(fields["uid"]) ?? ""
        return meta
    }
}
