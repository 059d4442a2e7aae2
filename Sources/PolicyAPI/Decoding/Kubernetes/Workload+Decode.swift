extension Workload {
    /// Reads a workload; `nil` for one without a template, as patches are, which stands for no pods.
    static func decode(_ object: DocumentNode, _ kind: Kind, _ findings: inout Findings) -> Workload? {
        let metadata = decodeMetadata(object, &findings)
        guard var spec = member(object["spec"], &findings) else { return nil }
        if kind == .cronJob {
            guard let template = member(spec["jobTemplate"], &findings),
                let inner = member(template["spec"], &findings)
            else { return nil }
            spec = inner
        }
        guard let template = member(spec["template"], &findings) else { return nil }
        var workload = Workload(kind: kind, metadata: metadata, template: Pod(metadata: ObjectMeta(name: "")))
        workload.owners = ObjectOwner.decode(object)
        workload.template.metadata.namespace = metadata.namespace
        if let inner = member(template["metadata"], &findings) {
            workload.template.metadata.labels = findings.texts(inner["labels"])
            workload.template.metadata.annotations = findings.texts(inner["annotations"])
        }
        if let inner = member(template["spec"], &findings) { workload.template.read(spec: inner, &findings) }
        workload.replicas = replicas(spec, kind, &findings)
        if let ordinals = member(spec["ordinals"], &findings) {
            workload.firstOrdinal = count(ordinals["start"], &findings) ?? 0
        }
        workload.selector = selector(spec, kind)
        return workload
    }

    private static func decodeMetadata(_ object: DocumentNode, _ findings: inout Findings) -> ObjectMeta {
        var own = Findings()
        var metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &own)
        // Jobs are often written without a name, for the API server to make one.
        if metadata.name.isEmpty, let base = object["metadata"]?["generateName"]?.string, base.count > 1 {
            metadata.name = base.hasSuffix("-") ? String(base.dropLast()) : base
        } else {
            findings.append(own)
        }
        return metadata
    }

    private static func member(_ node: DocumentNode?, _ findings: inout Findings) -> Fields? {
        node.flatMap { $0.isNull ? nil : FieldTable.lenient.read($0, &findings) }
    }

    private static func replicas(_ spec: Fields, _ kind: Kind, _ findings: inout Findings) -> Int {
        switch kind {
        case .deployment, .statefulSet, .replicaSet, .replicationController: count(spec["replicas"], &findings) ?? 1
        case .daemonSet: 1
        case .job, .cronJob:
            // As many at a time as may run, and no more than there is to do.
            min(count(spec["parallelism"], &findings) ?? 1, count(spec["completions"], &findings) ?? .max)
        }
    }

    private static func count(_ node: DocumentNode?, _ findings: inout Findings) -> Int? {
        findings.integer(node).map { Int(clamping: max(0, $0)) }
    }

    /// Its pods' selector. One that is not right selects nobody here: whether its pods are given only spares stand-ins.
    private static func selector(_ spec: Fields, _ kind: Kind) -> LabelSelector {
        guard let node = spec["selector"] else { return LabelSelector() }
        var unsaid = Findings()
        if kind == .replicationController {
            let labels = unsaid.texts(node).sorted { $0.key < $1.key }
            return LabelSelector(
                labels.map { LabelRequirement(key: $0.key, operator: .isIn, values: [$0.value]) },
                location: node.location)
        }
        return LabelSelector.decode(node, .plain, &unsaid) ?? LabelSelector()
    }
}

extension ObjectOwner {
    /// Reads `metadata.ownerReferences`, as far as it is right.
    static func decode(_ object: DocumentNode) -> [ObjectOwner] {
        (object["metadata"]?["ownerReferences"]?.elements ?? []).compactMap { element in
            guard let kind = element["kind"]?.string, let name = element["name"]?.string else { return nil }
            return ObjectOwner(kind: kind, name: name)
        }
    }
}
