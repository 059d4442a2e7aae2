/// What every object has: apiVersion, kind, metadata.
struct ObjectHeader {
    /// Whether objects of a kind live in a namespace.
    enum Scope {
        case namespaced, cluster
    }

    static let metadataTable = FieldTable(
        "metadata",
        rows: [
            .enforced("name"),
            .enforced("namespace", note: "has no effect, and a warning, on an object without namespace"),
            .enforced("labels", note: "of a CiliumCIDRGroup, for `cidrGroupSelector`; no meaning on a policy"),
            .metadata(
                "annotations", "uid", "generateName", "selfLink", "resourceVersion", "generation", "creationTimestamp",
                "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields",
                "clusterName"),
        ])

    /// Reads `metadata` of an object. What cannot be read is empty, with its error.
    static func metadata(
        _ object: DocumentNode, _ scope: Scope, isPolicy: Bool,
        nameSyntax: (String) -> String? = NameSyntax.dnsSubdomain,
        _ findings: inout Findings
    ) -> ObjectMeta {
        var meta = ObjectMeta(name: "", location: object.location)
        if scope == .namespaced { meta.namespace = "default" }
        guard let node = object["metadata"], !node.isNull else {
            findings.error(.missingField, object, "the object has no metadata", "write metadata with a name")
            return meta
        }
        guard let fields = (isPolicy ? metadataTable : .lenient).read(node, &findings) else { return meta }
        if let name = findings.string(fields["name"]), !name.isEmpty {
            meta.name = name
            if let problem = nameSyntax(name), let node = fields["name"] {
                findings.error(.invalidValue, node, "the name \(problem)", "choose another name")
            }
        } else if fields["name"].map({ $0.string != nil }) ?? true {
            findings.error(.missingField, fields["name"] ?? node, "the object has no name", "write metadata.name")
        }
        if let namespace = fields["namespace"], let text = findings.string(namespace), !text.isEmpty {
            switch scope {
            case .cluster:
                findings.warn(.noEffect, namespace, "objects of this kind have no namespace", "remove it")
            case .namespaced:
                meta.namespace = text
                if let problem = NameSyntax.dnsLabel(text) {
                    findings.error(.invalidValue, namespace, "the namespace \(problem)", "write a namespace's name")
                }
            }
        }
        meta.labels = findings.texts(fields["labels"])
        meta.annotations = findings.texts(fields["annotations"])
        meta.uid = findings.string(fields["uid"]) ?? ""
        return meta
    }
}
