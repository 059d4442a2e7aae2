/// Turns manifests into objects. Every error of every file is found in one pass, and an object with an error takes no other
/// object with it.
public struct ManifestDecoder: Sendable {
    private var result = DecodedManifests()
    /// Where each object was first written.
    private var places: [ObjectKey: SourceLocation] = [:]

    private struct ObjectKey: Hashable {
        let kind: KnownKind
        let namespace: String
        let name: String

        init(_ kind: KnownKind, _ metadata: ObjectMeta) {
            self.kind = kind
            namespace = metadata.namespace
            name = metadata.name
        }
    }

    private let keepsDocuments: Bool
    private let readsWorkloads: Bool

    /// A decoder that has read nothing. With `keepsDocuments` the documents of policies stay in memory, so that the place of
    /// every value can still be told. With `readsWorkloads` Deployments and the like are read as well
    /// (`DecodedManifests.addStandIns`); what is told of a cluster's real pods does without.
    public init(keepsDocuments: Bool = false, readsWorkloads: Bool = false) {
        self.keepsDocuments = keepsDocuments
        self.readsWorkloads = readsWorkloads
    }

    /// Reads one file: YAML or JSON, any number of documents. `file` is the name for messages.
    public mutating func add(_ bytes: [UInt8], file: String) {
        let output = DocumentReader.read(bytes, file: file)
        result.diagnostics += output.diagnostics
        for document in output.documents { add(document) }
    }

    /// Reads one document: an object or a `List` of objects.
    public mutating func add(_ document: DocumentNode) {
        add(document, inherited: nil)
    }

    /// Takes over a finding from elsewhere, for example about a file that cannot be read.
    public mutating func add(_ diagnostic: Diagnostic) {
        result.diagnostics.append(diagnostic)
    }

    /// Everything read.
    public consuming func finish() -> DecodedManifests {
        result.diagnostics += result.objects.addressConflicts()
        result.diagnostics += result.objects.sharedPriorities()
        result.diagnostics.sort()
        return result
    }

    /// `inherited` is the apiVersion and kind that items of a typed list may leave out.
    private mutating func add(_ object: DocumentNode, inherited: (apiVersion: String, kind: String)?) {
        var findings = Findings()
        guard object.members != nil else {
            findings.error(
                .notAnObject, object, "a Kubernetes object is a map, this is \(object.kindInWords)",
                "write apiVersion, kind and metadata")
            result.diagnostics += findings.diagnostics
            return
        }
        let kind = text(object, "kind", inherited?.kind, &findings)
        let apiVersion = text(object, "apiVersion", inherited?.apiVersion, &findings)
        guard let kind, let apiVersion else {
            result.diagnostics += findings.diagnostics
            return
        }
        if kind.hasSuffix("List"), let items = object["items"], kind == "List" || items.isNull || items.elements != nil
        {
            addItems(items, of: kind, apiVersion: apiVersion)
            return
        }
        result.objectCount += 1
        if let known = KnownKind(rawValue: kind), known.apiVersions.contains(apiVersion),
            readsWorkloads || known.workload == nil
        {
            decode(object, known)
        } else {
            skip(object, apiVersion: apiVersion, kind: kind)
        }
    }

    private func text(
        _ object: DocumentNode, _ key: String, _ inherited: String?, _ findings: inout Findings
    ) -> String? {
        guard let node = object[key], !node.isNull else {
            if let inherited { return inherited }
            findings.error(
                .notAnObject, object, "the document has no \(key), so it is no Kubernetes object",
                "write \(key):, or keep other files out of the folder")
            return nil
        }
        return findings.string(node)
    }

    private mutating func addItems(_ items: DocumentNode, of kind: String, apiVersion: String) {
        guard !items.isNull else { return }
        var findings = Findings()
        let elements = findings.list(items) ?? []
        result.diagnostics += findings.diagnostics
        let inherited = kind == "List" ? nil : (apiVersion: apiVersion, kind: String(kind.dropLast(4)))
        for element in elements { add(element.asRoot(), inherited: inherited) }
    }

    private mutating func skip(_ object: DocumentNode, apiVersion: String, kind: String) {
        let isWanted = readsWorkloads || KnownKind(rawValue: kind)?.workload == nil
        guard isWanted, let finding = KnownKind.finding(apiVersion: apiVersion, kind: kind) else {
            // The tests of a folder lie beside its manifests: nobody misses them.
            if kind != "PolicyTest" { result.skipped[kind, default: 0] += 1 }
            return
        }
        let place = object["kind"] ?? object
        result.diagnostics.append(
            Diagnostic(
                id: .unknownKind, severity: finding.severity, location: place.location, path: place.path.description,
                message: finding.message, hint: finding.hint))
    }

    private mutating func decode(_ object: DocumentNode, _ kind: KnownKind) {
        var findings = Findings()
        switch kind {
        case .namespace:
            let value = Namespace.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) { result.objects.namespaces.append(value) }
        case .pod:
            let value = Pod.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) { result.objects.pods.append(value) }
        case .node:
            let value = Node.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) { result.objects.nodes.append(value) }
        case .service:
            let value = Service.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) {
                let isSame = { (old: Service) in
                    old.metadata.name == value.metadata.name && old.metadata.namespace == value.metadata.namespace
                }
                if places[ObjectKey(kind, value.metadata)] != object.location {
                    result.objects.services.removeAll(where: isSame)
                }
                result.objects.services.append(value)
            }
        case .endpointSlice:
            let value = EndpointSlice.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) { result.objects.endpointSlices.append(value) }
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob:
            guard let form = kind.workload, let value = Workload.decode(object, form, &findings) else {
                result.diagnostics += findings.diagnostics
                return
            }
            if accept(kind, value.metadata, object, [], &findings) {
                result.workloads.removeAll { $0.description == value.description }
                result.workloads.append(value)
            }
        case .ciliumCIDRGroup:
            let value = CIDRGroup.decode(object, &findings)
            if accept(kind, value.metadata, object, [], &findings) { result.objects.cidrGroups.append(value) }
        case .networkPolicy:
            let (value, refusals) = NetworkPolicy.decode(object, &findings)
            if accept(kind, value.metadata, object, refusals, &findings) {
                result.objects.networkPolicies.append(value)
            }
        case .clusterNetworkPolicy: decodeClusterPolicy(object, kind, .clusterNetworkPolicy, &findings)
        case .adminNetworkPolicy: decodeClusterPolicy(object, kind, .adminNetworkPolicy, &findings)
        case .baselineAdminNetworkPolicy:
            decodeClusterPolicy(object, kind, .baselineAdminNetworkPolicy, &findings)
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy:
            let isClusterwide = kind == .ciliumClusterwideNetworkPolicy
            let (value, refusals) = CiliumPolicy.decode(object, isClusterwide: isClusterwide, &findings)
            if accept(kind, value.metadata, object, refusals, &findings) { result.objects.ciliumPolicies.append(value) }
        }
    }

    private mutating func decodeClusterPolicy(
        _ object: DocumentNode, _ known: KnownKind, _ kind: ClusterPolicy.Kind, _ findings: inout Findings
    ) {
        let (value, refusals) = ClusterPolicy.decode(object, kind, &findings)
        if accept(known, value.metadata, object, refusals, &findings) { result.objects.clusterPolicies.append(value) }
    }

    /// Whether an object may be used: nothing is wrong in it and it is the first of its name.
    private mutating func accept(
        _ kind: KnownKind, _ metadata: ObjectMeta, _ object: DocumentNode, _ refusals: [PolicyRefusal],
        _ findings: inout Findings
    ) -> Bool {
        if !metadata.name.isEmpty {
            let key = ObjectKey(kind, metadata)
            if let first = places[key] {
                let name = metadata.namespace.isEmpty ? metadata.name : "\(metadata.namespace)/\(metadata.name)"
                let message = "\(kind.rawValue) \(name) is written twice, first at \(first)"
                if kind == .service || kind.workload != nil {
                    // Stages of one service or workload stand in one folder often; no policy hangs on the name alone.
                    findings.warn(.duplicateObject, object, message, "this one is used; keep one of them")
                } else {
                    findings.error(.duplicateObject, object, message, "keep one of them, or rename one")
                }
            } else {
                places[key] = object.location
            }
        }
        result.diagnostics += findings.diagnostics
        let isGood = findings.errors == 0 && !object.isFaulty
        if !isGood { result.refused += refusals }
        if isGood, keepsDocuments, kind.isPolicy {
            result.documents.insert(
                object, kind: kind.rawValue, namespace: metadata.namespace, name: metadata.name)
        }
        return isGood
    }
}
