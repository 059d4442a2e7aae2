/// Turns manifests into objects. Every error of every file is reported in one pass, and an object with an error does not
/// affect other objects.
public struct ManifestDecoder: Sendable {
    private var result = DecodedManifests()
    /// The first definition of each object.
    private var places: [ObjectKey: (location: SourceLocation?, labels: [String: String])] = [:]

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
    private let isOfRepository: Bool

    /// A decoder that has read nothing yet. With `keepsDocuments` the documents of policies stay in memory, so that the
    /// location of every value can be found. With `readsWorkloads` Deployments and other workloads are read as well
    /// (`DecodedManifests.addSyntheticPods`), which a cluster with its real pods does not need. With `isOfRepository` files are
    /// those of a repository, where not all YAML is meant for a cluster: documents that are no objects are counted, and a file of
    /// an unrendered template is one warning.
    public init(keepsDocuments: Bool = false, readsWorkloads: Bool = false, isOfRepository: Bool = false) {
        self.keepsDocuments = keepsDocuments
        self.readsWorkloads = readsWorkloads
        self.isOfRepository = isOfRepository
    }

    /// Reads one file: YAML or JSON, any number of documents. `file` is the name used in messages.
    /// `change` is what happens to each document before it is read; one of which it makes nothing is passed over.
    public mutating func add(
        _ bytes: [UInt8], file: String, change: (DocumentNode) -> DocumentNode? = { $0 }
    ) {
        var budget = DocumentBudget(file: file)
        add(bytes, firstLine: 1, &budget, change)
    }

    /// Reads standard input: as a file, but of up to `DocumentLimits.streamBytes`, document by document, and a `List` as kubectl writes it
    /// item by item.
    public mutating func add(stream bytes: [UInt8], change: (DocumentNode) -> DocumentNode? = { $0 }) {
        guard bytes.count <= DocumentLimits.streamBytes else {
            result.diagnostics.append(
                Diagnostic(
                    id: .limit, location: SourceLocation(file: "-", line: 1, column: 1),
                    message: "standard input has more than \(DocumentLimits.streamBytes) bytes",
                    hint: "ask for fewer kinds or namespaces at a time"))
            return
        }
        var budget = DocumentBudget(file: "-", nodes: DocumentLimits.streamNodes)
        DocumentPages(bytes).forEach { page in
            if !budget.isSpent { add(page.bytes, firstLine: page.firstLine, &budget, change) }
        }
    }

    private mutating func add(
        _ bytes: [UInt8], firstLine: Int, _ budget: inout DocumentBudget, _ change: (DocumentNode) -> DocumentNode?
    ) {
        let file = budget.file
        let known = (diagnostics: result.diagnostics.count, refused: result.refused.count)
        let output = DocumentReader.read(bytes, firstLine: firstLine, &budget)
        let isBroken = output.diagnostics.contains { $0.id == .syntax || $0.id == .limit }
        if isOfRepository, isBroken, output.diagnostics.allSatisfy({ $0.id != .limit }),
            !RepositoryFile.mayHoldObject(bytes)
        {
            result.otherDocuments += 1
            return
        }
        result.diagnostics += output.diagnostics
        for document in output.documents { if let changed = change(document) { add(changed) } }
        if isBroken {
            result.refused += BrokenPolicy.read(bytes, file: file, firstLine: firstLine).flatMap(\.refusals)
        }
        guard isOfRepository, result.diagnostics[known.diagnostics...].contains(where: { $0.severity == .error }),
            let place = RepositoryFile.placeholder(in: bytes, file: file, firstLine: firstLine)
        else { return }
        // What is wrong with a template is nothing that its author can put right in it.
        result.diagnostics.removeSubrange(known.diagnostics...)
        result.refused.removeSubrange(known.refused...)
        guard RepositoryFile.namesPolicy(bytes) else {
            result.skipped["unrendered template", default: 0] += 1
            return
        }
        // Of standard input each document is looked at alone: one word is enough.
        guard !result.diagnostics.contains(where: { $0.id == .unrenderedTemplate && $0.location?.file == file }) else {
            return
        }
        result.diagnostics.append(
            Diagnostic(
                id: .unrenderedTemplate, severity: .warning, location: place,
                message:
                    "this is a template, with placeholders that nobody has filled in, so its policies are left out",
                hint: "render it first: helm template ... | netpold lint -f -"))
    }

    /// Reads one document: an object or a `List` of objects.
    public mutating func add(_ document: DocumentNode) {
        add(document, inherited: nil)
    }

    /// Adds a diagnostic from elsewhere, for example about a file that cannot be read.
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

    /// `inherited` is the apiVersion and kind that items of a typed list may omit.
    mutating func add(_ object: DocumentNode, inherited: (apiVersion: String, kind: String)?) {
        var diagnostics = DiagnosticCollector()
        if isOfRepository, !RepositoryFile.isMeantAsObject(object, isItem: inherited != nil) {
            result.otherDocuments += 1
            return
        }
        guard object.members != nil else {
            diagnostics.error(
                .notAnObject, object, "a Kubernetes object is a map, not \(object.kindDescription)",
                "write apiVersion, kind and metadata")
            result.diagnostics += diagnostics.collected
            return
        }
        let kind = text(object, "kind", inherited?.kind, &diagnostics)
        let apiVersion = text(object, "apiVersion", inherited?.apiVersion, &diagnostics)
        guard let kind, let apiVersion else {
            result.diagnostics += diagnostics.collected
            result.refused += BrokenPolicy.items(of: object).flatMap(\.refusals)
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
        _ object: DocumentNode, _ key: String, _ inherited: String?, _ diagnostics: inout DiagnosticCollector
    ) -> String? {
        guard let node = object[key], !node.isNull else {
            if let inherited { return inherited }
            diagnostics.error(
                .notAnObject, object, "the document has no \(key), so it is not a Kubernetes object",
                "write \(key):, or keep other files out of the folder")
            return nil
        }
        return diagnostics.string(node)
    }

    private mutating func addItems(_ items: DocumentNode, of kind: String, apiVersion: String) {
        guard !items.isNull else { return }
        var diagnostics = DiagnosticCollector()
        let elements = diagnostics.list(items) ?? []
        result.diagnostics += diagnostics.collected
        let inherited = kind == "List" ? nil : (apiVersion: apiVersion, kind: String(kind.dropLast(4)))
        for element in elements { add(element.asRoot(), inherited: inherited) }
    }

    private mutating func skip(_ object: DocumentNode, apiVersion: String, kind: String) {
        let isWanted = readsWorkloads || KnownKind(rawValue: kind)?.workload == nil
        guard isWanted, let problem = KnownKind.diagnostic(apiVersion: apiVersion, kind: kind) else {
            // PolicyTests are next to the manifests they test: no need to report them.
            if kind != "PolicyTest" { result.skipped[kind, default: 0] += 1 }
            return
        }
        let place = object["kind"] ?? object
        result.diagnostics.append(
            Diagnostic(
                id: .unknownKind, severity: problem.severity, location: place.location, path: place.path.description,
                message: problem.message, hint: problem.hint))
    }

    private mutating func decode(_ object: DocumentNode, _ kind: KnownKind) {
        var diagnostics = DiagnosticCollector()
        switch kind {
        case .namespace:
            let value = Namespace.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) { result.objects.namespaces.append(value) }
        case .pod:
            let value = Pod.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) { result.objects.pods.append(value) }
        case .node:
            let value = Node.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) { result.objects.nodes.append(value) }
        case .service:
            let value = Service.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) {
                let isSame = { (old: Service) in
                    old.metadata.name == value.metadata.name && old.metadata.namespace == value.metadata.namespace
                }
                if places[ObjectKey(kind, value.metadata)]?.location != object.location {
                    result.objects.services.removeAll(where: isSame)
                }
                result.objects.services.append(value)
            }
        case .endpointSlice:
            let value = EndpointSlice.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) { result.objects.endpointSlices.append(value) }
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob:
            guard let form = kind.workload, let value = Workload.decode(object, form, &diagnostics) else {
                result.diagnostics += diagnostics.collected
                return
            }
            if accept(kind, value.metadata, object, [], &diagnostics) {
                result.workloads.removeAll { $0.description == value.description }
                result.workloads.append(value)
            }
        case .ciliumCIDRGroup:
            let value = CIDRGroup.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, [], &diagnostics) { result.objects.cidrGroups.append(value) }
        case .networkPolicy:
            let (value, refusals) = NetworkPolicy.decode(object, &diagnostics)
            if accept(kind, value.metadata, object, refusals, &diagnostics) {
                result.objects.networkPolicies.append(value)
            }
        case .clusterNetworkPolicy: decodeClusterPolicy(object, kind, .clusterNetworkPolicy, &diagnostics)
        case .adminNetworkPolicy: decodeClusterPolicy(object, kind, .adminNetworkPolicy, &diagnostics)
        case .baselineAdminNetworkPolicy:
            decodeClusterPolicy(object, kind, .baselineAdminNetworkPolicy, &diagnostics)
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy:
            let isClusterwide = kind == .ciliumClusterwideNetworkPolicy
            let (value, refusals) = CiliumPolicy.decode(object, isClusterwide: isClusterwide, &diagnostics)
            if accept(kind, value.metadata, object, refusals, &diagnostics) {
                result.objects.ciliumPolicies.append(value)
            }
        }
    }

    private mutating func decodeClusterPolicy(
        _ object: DocumentNode, _ known: KnownKind, _ kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector
    ) {
        let (value, refusals) = ClusterPolicy.decode(object, kind, &diagnostics)
        if accept(known, value.metadata, object, refusals, &diagnostics) {
            result.objects.clusterPolicies.append(value)
        }
    }

    /// Whether an object may be used: it has no error and is the first of its name.
    private mutating func accept(
        _ kind: KnownKind, _ metadata: ObjectMeta, _ object: DocumentNode, _ refusals: [PolicyRefusal],
        _ diagnostics: inout DiagnosticCollector
    ) -> Bool {
        var isRepeated = false
        if !metadata.name.isEmpty {
            let key = ObjectKey(kind, metadata)
            if let first = places[key] {
                let name = metadata.namespace.isEmpty ? metadata.name : "\(metadata.namespace)/\(metadata.name)"
                let place = first.location.map { ", first at \($0)" } ?? ""
                let message = "\(kind.rawValue) \(name) is defined twice\(place)"
                if kind == .service || kind.workload != nil {
                    // One folder often holds several stages of a service or workload; no policy depends on the name alone.
                    diagnostics.warn(.duplicateObject, object, message, "this one is used; keep one of them")
                } else if isOfRepository, !kind.hasFieldTables {
                    // Several folders of a repository often declare the namespace that they need.
                    isRepeated = true
                    if first.labels != metadata.labels {
                        diagnostics.warn(
                            .duplicateObject, object, "\(message), with other labels",
                            "the first is used; keep one of them")
                    }
                } else {
                    diagnostics.error(.duplicateObject, object, message, "keep one of them, or rename one")
                }
            } else {
                places[key] = (object.location, metadata.labels)
            }
        }
        result.diagnostics += diagnostics.collected.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.isBesidePolicies = !kind.bearsOnPolicies
            return diagnostic
        }
        let isGood = diagnostics.errorCount == 0 && !object.isFaulty
        if !isGood { result.refused += refusals }
        if isGood, keepsDocuments, kind.isPolicy {
            result.documents.insert(
                object, kind: kind.rawValue, namespace: metadata.namespace, name: metadata.name)
        }
        return isGood && !isRepeated
    }
}
