extension Workload {
    /// Reads a workload; `nil` for one without a template (a patch), which makes no pods.
    static func decode(_ object: DocumentNode, _ kind: Kind, _ diagnostics: inout DiagnosticCollector) -> Workload? {
        let metadata = decodeMetadata(object, &diagnostics)
        guard var spec = member(object["spec"], &diagnostics) else { return nil }
        if kind == .cronJob {
            guard let template = member(spec["jobTemplate"], &diagnostics),
                let inner = member(template["spec"], &diagnostics)
            else { return nil }
            spec = inner
        }
        guard let template = member(spec["template"], &diagnostics) else { return nil }
        var workload = Workload(kind: kind, metadata: metadata, template: Pod(metadata: ObjectMeta(name: "")))
        workload.owners = ObjectOwner.decode(object)
        workload.template.metadata.namespace = metadata.namespace
        if let inner = member(template["metadata"], &diagnostics) {
            workload.template.metadata.labels = diagnostics.texts(inner["labels"])
            workload.template.metadata.annotations = diagnostics.texts(inner["annotations"])
        }
        if let inner = member(template["spec"], &diagnostics) { workload.template.read(spec: inner, &diagnostics) }
        workload.replicas = replicas(spec, kind, &diagnostics)
        if let ordinals = member(spec["ordinals"], &diagnostics) {
            workload.firstOrdinal = count(ordinals["start"], &diagnostics) ?? 0
        }
        workload.selector = selector(spec, kind)
        return workload
    }

    private static func decodeMetadata(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ObjectMeta {
        var own = DiagnosticCollector()
        var metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &own)
        // Jobs are often written without a name, which the API server then generates.
        if metadata.name.isEmpty, let base = object["metadata"]?["generateName"]?.string, base.count > 1 {
            metadata.name = base.hasSuffix("-") ? String(base.dropLast()) : base
        } else {
            diagnostics.append(own)
        }
        return metadata
    }

    private static func member(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> Fields? {
        node.flatMap { $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }
    }

    private static func replicas(_ spec: Fields, _ kind: Kind, _ diagnostics: inout DiagnosticCollector) -> Int {
        switch kind {
        case .deployment, .statefulSet, .replicaSet, .replicationController: count(spec["replicas"], &diagnostics) ?? 1
        case .daemonSet: 1
        case .job, .cronJob:
            // The pods that run at a time: the parallelism, but at most the completions.
            min(count(spec["parallelism"], &diagnostics) ?? 1, count(spec["completions"], &diagnostics) ?? .max)
        }
    }

    private static func count(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> Int? {
        diagnostics.integer(node).map { Int(clamping: max(0, $0)) }
    }

    /// The selector of its pods. An invalid one selects nothing: it is only used to skip synthetic pods where real ones are
    /// given.
    private static func selector(_ spec: Fields, _ kind: Kind) -> LabelSelector {
        guard let node = spec["selector"] else { return LabelSelector() }
        var ignored = DiagnosticCollector()
        if kind == .replicationController {
            let labels = ignored.texts(node).sorted { $0.key < $1.key }
            return LabelSelector(
                labels.map { LabelRequirement(key: $0.key, operator: .isIn, values: [$0.value]) },
                location: node.location)
        }
        return LabelSelector.decode(node, .plain, &ignored) ?? LabelSelector()
    }
}

extension ObjectOwner {
    /// Reads the valid elements of `metadata.ownerReferences`.
    static func decode(_ object: DocumentNode) -> [ObjectOwner] {
        (object["metadata"]?["ownerReferences"]?.elements ?? []).compactMap { element in
            guard let kind = element["kind"]?.string, let name = element["name"]?.string else { return nil }
            return ObjectOwner(kind: kind, name: name)
        }
    }
}
