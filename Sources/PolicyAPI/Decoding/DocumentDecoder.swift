/// Decodes documents one by one. What it makes of one depends on no other document, so several may be decoded at once;
/// `ManifestDecoder` brings them together.
struct DocumentDecoder: Sendable {
    let keepsDocuments: Bool
    let readsWorkloads: Bool
    let isOfRepository: Bool

    /// What a document, or an item of a list, is.
    enum Part: Sendable {
        /// No object; passed over.
        case other
        /// No object that can be told: what is wrong, and what is refused for it.
        case problem([Diagnostic], [BrokenPolicy])
        /// An object that is not read: its kind where that is to be counted, or what is wrong with it.
        case skipped(kind: String?, [Diagnostic])
        /// An object that is read, however that went.
        case object(Object)

        /// Whether it is passed over.
        var isOther: Bool { if case .other = self { true } else { false } }
    }

    /// An object of a kind that is read.
    struct Object: Sendable {
        enum Value: Sendable {
            case cluster(ClusterObject)
            case workload(Workload)
        }

        var kind: KnownKind
        var value: Value
        var refusals: [PolicyRefusal] = []
        var diagnostics: DiagnosticCollector
        /// Where it is, and whether it is faulty; with its values only where they are kept.
        var document: DocumentNode

        var metadata: ObjectMeta {
            switch value {
            case .cluster(let object): object.metadata
            case .workload(let workload): workload.metadata
            }
        }
    }

    /// What a document is: an object, or a `List` of objects. `inherited` is the apiVersion and kind that items of a typed list may
    /// omit.
    func decode(_ document: DocumentNode, inherited: (apiVersion: String, kind: String)? = nil) -> [Part] {
        var parts: [Part] = []
        add(document, inherited: inherited, to: &parts)
        return parts
    }

    private func add(
        _ object: DocumentNode, inherited: (apiVersion: String, kind: String)?, to parts: inout [Part]
    ) {
        var diagnostics = DiagnosticCollector()
        if isOfRepository, !RepositoryFile.isMeantAsObject(object, isItem: inherited != nil) {
            return parts.append(.other)
        }
        guard object.members != nil else {
            diagnostics.error(
                .notAnObject, object, "a Kubernetes object is a map, not \(object.kindDescription)",
                object.elements == nil
                    ? "write apiVersion, kind and metadata"
                    : "make it the items of a List: {apiVersion: v1, kind: List, items: [...]}")
            return parts.append(.problem(diagnostics.collected, []))
        }
        let kind = text(object, "kind", inherited?.kind, &diagnostics)
        let apiVersion = text(object, "apiVersion", inherited?.apiVersion, &diagnostics)
        guard let kind, let apiVersion else {
            if let meant = meant(object, apiVersion: apiVersion, kind: kind, diagnostics) {
                return parts.append(.object(meant))
            }
            return parts.append(.problem(diagnostics.collected, BrokenPolicy.items(of: object)))
        }
        if isOfRepository, kind == "Status", apiVersion == "v1" {
            // What an API server answers in the place of objects.
            let why = object["message"]?.string.map { ": \($0)" } ?? ""
            diagnostics.error(
                .notAnObject, object, "this is an API server's answer that it has no objects for you\(why)",
                "ask again as somebody who may read them")
            return parts.append(.problem(diagnostics.collected, []))
        }
        if kind.hasSuffix("List"),
            kind == "List" || object["items"] != nil || KnownKind(rawValue: String(kind.dropLast(4))) != nil
        {
            return addItems(object, of: kind, apiVersion: apiVersion, to: &parts)
        }
        if let known = KnownKind(rawValue: kind), known.apiVersions.contains(apiVersion),
            readsWorkloads || known.workload == nil
        {
            parts.append(decode(object, known))
        } else {
            parts.append(skip(object, apiVersion: apiVersion, kind: kind))
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

    private func addItems(_ list: DocumentNode, of kind: String, apiVersion: String, to parts: inout [Part]) {
        var diagnostics = DiagnosticCollector()
        guard let items = list["items"] else {
            diagnostics.error(.missingField, list, "the \(kind) has no items", "write its objects as items: [...]")
            return parts.append(.problem(diagnostics.collected, BrokenPolicy.inside(list)))
        }
        guard !items.isNull else { return }
        guard let elements = diagnostics.list(items) else {
            return parts.append(.problem(diagnostics.collected, BrokenPolicy.inside(list)))
        }
        let inherited = kind == "List" ? nil : (apiVersion: apiVersion, kind: String(kind.dropLast(4)))
        for element in elements { add(element.asRoot(), inherited: inherited, to: &parts) }
    }

    private func skip(_ object: DocumentNode, apiVersion: String, kind: String) -> Part {
        let isWanted = readsWorkloads || KnownKind(rawValue: kind)?.workload == nil
        guard isWanted, let problem = KnownKind.diagnostic(apiVersion: apiVersion, kind: kind) else {
            // PolicyTests are next to the manifests they test: no need to report them.
            return .skipped(kind: kind == "PolicyTest" ? nil : kind, [])
        }
        let place = object["kind"] ?? object
        var diagnostics = DiagnosticCollector()
        if problem.isError {
            diagnostics.error(.unknownKind, place, problem.message, problem.hint)
        } else {
            diagnostics.warn(.unknownKind, place, problem.message, problem.hint)
        }
        if let meant = meant(object, apiVersion: apiVersion, kind: kind, diagnostics) { return .object(meant) }
        return .skipped(kind: nil, diagnostics.collected)
    }

    /// A policy or CIDR group whose apiVersion or kind is missing, misspelt or of another version, as far as it says which is meant: it is
    /// refused, so that a mistake there closes as one elsewhere in it does. Of its other mistakes nothing is said.
    private func meant(
        _ object: DocumentNode, apiVersion: String?, kind: String?, _ diagnostics: DiagnosticCollector
    ) -> Object? {
        let written = kind ?? object.members?.first { $0.key.lowercased() == "kind" }?.value.string
        guard let written, let known = KnownKind.meant(apiVersion: apiVersion, kind: written) else { return nil }
        let faulty = DocumentNode(
            object.content, location: object.location, path: object.path, hasRepeatedKey: true)
        guard case .object(var refused) = decode(faulty, known) else { return nil }
        refused.diagnostics = diagnostics
        return refused
    }

    private func decode(_ object: DocumentNode, _ kind: KnownKind) -> Part {
        var diagnostics = DiagnosticCollector()
        let value: Object.Value
        var refusals: [PolicyRefusal] = []
        switch kind {
        case .namespace: value = .cluster(.namespace(Namespace.decode(object, &diagnostics)))
        case .pod: value = .cluster(.pod(Pod.decode(object, &diagnostics)))
        case .node: value = .cluster(.node(Node.decode(object, &diagnostics)))
        case .service: value = .cluster(.service(Service.decode(object, &diagnostics)))
        case .endpointSlice: value = .cluster(.endpointSlice(EndpointSlice.decode(object, &diagnostics)))
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob:
            guard let form = kind.workload, let workload = Workload.decode(object, form, &diagnostics) else {
                return .skipped(kind: nil, diagnostics.collected)
            }
            value = .workload(workload)
        case .ciliumCIDRGroup: value = .cluster(.cidrGroup(CIDRGroup.decode(object, &diagnostics)))
        case .networkPolicy:
            let found = NetworkPolicy.decode(object, &diagnostics)
            (value, refusals) = (.cluster(.networkPolicy(found.0)), found.1)
        case .clusterNetworkPolicy:
            (value, refusals) = Self.clusterPolicy(object, .clusterNetworkPolicy, &diagnostics)
        case .adminNetworkPolicy:
            (value, refusals) = Self.clusterPolicy(object, .adminNetworkPolicy, &diagnostics)
        case .baselineAdminNetworkPolicy:
            (value, refusals) = Self.clusterPolicy(object, .baselineAdminNetworkPolicy, &diagnostics)
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy:
            let isClusterwide = kind == .ciliumClusterwideNetworkPolicy
            let found = CiliumPolicy.decode(object, isClusterwide: isClusterwide, &diagnostics)
            (value, refusals) = (.cluster(.ciliumPolicy(found.0)), found.1)
        }
        let document =
            keepsDocuments && kind.isPolicy
            ? object
            : DocumentNode(.null, location: object.location, path: object.path, hasRepeatedKey: object.isFaulty)
        return .object(
            Object(kind: kind, value: value, refusals: refusals, diagnostics: diagnostics, document: document))
    }
    private static func clusterPolicy(
        _ object: DocumentNode, _ kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector
    ) -> (Object.Value, [PolicyRefusal]) {
        let (policy, refusals) = ClusterPolicy.decode(object, kind, &diagnostics)
        return (.cluster(.clusterPolicy(policy)), refusals)
    }
}
