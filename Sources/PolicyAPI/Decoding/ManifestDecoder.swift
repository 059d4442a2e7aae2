/// Turns manifests into objects. Every error of every file is reported in one pass, and an object with an error does not
/// affect other objects.
public struct ManifestDecoder: Sendable {
    private var result = DecodedManifests()
    /// The first definition of each object.
    private var places: [ObjectKey: First] = [:]
    /// Policies that were used until another definition contradicted them.
    private var withdrawn: Set<ClusterObject.Key> = []

    /// The first definition of an object.
    private struct First {
        var location: SourceLocation?
        var labels: [String: String] = [:]
        /// A policy or CIDR group that is used as it is written; `nil` where it was refused.
        var good: ClusterObject?
    }

    private struct ObjectKey: Hashable {
        let kind: KnownKind
        let namespace: String
        let name: String

        init(_ kind: KnownKind, namespace: String, name: String) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }

        init(_ kind: KnownKind, _ metadata: ObjectMeta) {
            self.init(kind, namespace: metadata.namespace, name: metadata.name)
        }
    }

    private let documents: DocumentDecoder

    /// A decoder that has read nothing yet. With `keepsDocuments` the documents of policies stay in memory, so that the
    /// location of every value can be found. With `readsWorkloads` Deployments and other workloads are read as well
    /// (`DecodedManifests.addSyntheticPods`), which a cluster with its real pods does not need. With `isOfRepository` files are
    /// those of a repository, where not all YAML is meant for a cluster: documents that are no objects are counted, and a file of
    /// an unrendered template is one warning.
    public init(keepsDocuments: Bool = false, readsWorkloads: Bool = false, isOfRepository: Bool = false) {
        documents = DocumentDecoder(
            keepsDocuments: keepsDocuments, readsWorkloads: readsWorkloads, isOfRepository: isOfRepository)
    }

    /// Reads one file: YAML or JSON, any number of documents. `file` is the name used in messages.
    /// `change` is what happens to each document before it is read, of a big file on several CPUs; one of which it makes nothing is passed
    /// over.
    ///
    /// - Returns: whether anything is in it: an object, or what may be one and cannot be read.
    @discardableResult
    public mutating func add(
        _ bytes: [UInt8], file: String, change: @Sendable (DocumentNode) -> DocumentNode? = { $0 }
    ) -> Bool {
        var budget = DocumentBudget(file: file)
        return add(bytes, firstLine: 1, &budget, change)
    }

    /// Reads standard input: as a file, but of up to `DocumentLimits.streamBytes`, document by document, and a `List` as kubectl writes it
    /// item by item.
    ///
    /// - Returns: whether anything is in it: an object, or what may be one and cannot be read.
    @discardableResult
    public mutating func add(stream bytes: [UInt8], change: @Sendable (DocumentNode) -> DocumentNode? = { $0 }) -> Bool
    {
        guard bytes.count <= DocumentLimits.streamBytes else {
            result.diagnostics.append(
                Diagnostic(
                    id: .limit, location: SourceLocation(file: "-", line: 1, column: 1),
                    message: "standard input has more than \(DocumentLimits.streamBytes) bytes",
                    hint: "ask for fewer kinds or namespaces at a time"))
            return true
        }
        var holdsAny = false
        var budget = DocumentBudget(file: "-", nodes: DocumentLimits.streamNodes)
        let left = DocumentPages(bytes).forEach { page in
            if !budget.isSpent,
                add(page.bytes, firstLine: page.firstLine, firstColumn: page.firstColumn, &budget, change)
            {
                holdsAny = true
            }
        }
        result.diagnostics += left
        return holdsAny || !left.isEmpty
    }

    private mutating func add(
        _ bytes: [UInt8], firstLine: Int, firstColumn: Int = 1, _ budget: inout DocumentBudget,
        _ change: @Sendable (DocumentNode) -> DocumentNode?
    ) -> Bool {
        let file = budget.file
        let known = (diagnostics: result.diagnostics.count, refused: result.refused.count)
        let isOfRepository = documents.isOfRepository
        let output = DocumentReader.read(bytes, firstLine: firstLine, firstColumn: firstColumn, &budget) {
            [documents] document in
            change(document).map { documents.decode($0) } ?? []
        }
        let isBroken = output.diagnostics.contains { $0.id == .syntax || $0.id == .limit }
        if isOfRepository, isBroken, output.diagnostics.allSatisfy({ $0.id != .limit }),
            !RepositoryFile.mayHoldObject(bytes)
        {
            result.otherDocuments += 1
            return false
        }
        let holdsAny = !output.diagnostics.isEmpty || output.values.contains { !$0.allSatisfy(\.isOther) || $0.isEmpty }
        result.diagnostics += output.diagnostics
        for parts in output.values { take(parts) }
        if BrokenPolicy.mayBe(in: output.diagnostics) {
            refuse(BrokenPolicy.read(bytes, file: file, firstLine: firstLine))
        }
        guard isOfRepository,
            result.diagnostics[known.diagnostics...].contains(where: {
                $0.severity == .error && $0.id != .duplicateObject
            }),
            let place = RepositoryFile.placeholder(in: bytes, file: file, firstLine: firstLine)
        else { return holdsAny }
        // What is wrong with a template is nothing that its author can put right in it; of another file's policy, which it contradicts, that
        // stays refused.
        let found = (result.diagnostics[known.diagnostics...], result.refused[known.refused...])
        result.diagnostics.removeSubrange(known.diagnostics...)
        result.diagnostics += found.0.filter { $0.id == .duplicateObject }
        result.refused.removeSubrange(known.refused...)
        result.refused += found.1.filter { $0.origin.location?.file != file }
        guard RepositoryFile.namesPolicy(bytes) else {
            result.skipped["unrendered template", default: 0] += 1
            return true
        }
        // Of standard input each document is looked at alone: one word is enough.
        guard !result.diagnostics.contains(where: { $0.id == .unrenderedTemplate && $0.location?.file == file }) else {
            return true
        }
        result.diagnostics.append(
            Diagnostic(
                id: .unrenderedTemplate, severity: .warning, location: place,
                message:
                    "this is a template, with placeholders that nobody has filled in, so its policies are left out",
                hint: "render it first: helm template ... | netpold lint -f -"))
        return true
    }

    /// Reads one document: an object or a `List` of objects.
    public mutating func add(_ document: DocumentNode) {
        take(documents.decode(document))
    }

    /// Reads one document, of which `inherited` is the apiVersion and kind that it may omit.
    mutating func add(_ document: DocumentNode, inherited: (apiVersion: String, kind: String)?) {
        take(documents.decode(document, inherited: inherited))
    }

    /// Adds a diagnostic from elsewhere, for example about a file that cannot be read.
    public mutating func add(_ diagnostic: Diagnostic) {
        result.diagnostics.append(diagnostic)
    }

    /// Everything read.
    public consuming func finish() -> DecodedManifests {
        result.objects.remove(policies: withdrawn)
        result.diagnostics += result.objects.addressConflicts()
        result.diagnostics += result.objects.sharedPriorities()
        result.diagnostics.sort()
        return result
    }

    private mutating func take(_ parts: [DocumentDecoder.Part]) {
        for part in parts {
            switch part {
            case .other: result.otherDocuments += 1
            case .problem(let diagnostics, let broken):
                result.diagnostics += diagnostics
                refuse(broken)
            case .skipped(let kind, let problem):
                result.objectCount += 1
                if let kind { result.skipped[kind, default: 0] += 1 }
                result.diagnostics += problem
            case .object(let object):
                result.objectCount += 1
                take(object)
            }
        }
    }

    private mutating func take(_ object: DocumentDecoder.Object) {
        let isKnown = places[ObjectKey(object.kind, object.metadata)] != nil
        guard accept(object) else { return note(refused: object, isRepeated: isKnown) }
        switch object.value {
        case .workload(let workload):
            if isKnown { result.workloads.removeAll { $0.description == workload.description } }
            result.workloads.append(workload)
        case .cluster(.service(let service)):
            if isKnown {
                result.objects.services.removeAll {
                    $0.metadata.name == service.metadata.name && $0.metadata.namespace == service.metadata.namespace
                }
            }
            result.objects.services.append(service)
        case .cluster(let value):
            result.objects.append(value)
        }
    }

    /// Of a refused CiliumCIDRGroup policies are to know that they do not know whom they deny by it; the pods of a refused Namespace, of
    /// which selectors do not know the labels, are closed.
    private mutating func note(refused object: DocumentDecoder.Object, isRepeated: Bool) {
        switch object.value {
        case .cluster(.cidrGroup(let group)):
            var metadata = group.metadata
            if metadata.name.isEmpty { metadata.name = "at \(object.document.location)" }
            // Where one of the labels cannot be read, the others do not say which selectors mean the group.
            if isRepeated || object.document.isFaulty
                || object.diagnostics.collected.contains(where: { $0.path.hasPrefix("metadata") })
            {
                metadata.labels = [:]
            }
            add(unknown: metadata)
        case .cluster(.namespace(let namespace)) where !isRepeated && !namespace.metadata.name.isEmpty:
            result.refused.append(
                PolicyRefusal(
                    origin: RuleOrigin(
                        kind: object.kind.rawValue, namespace: "", name: namespace.metadata.name, path: "",
                        location: object.document.location),
                    subject: .pods(.named(namespace.metadata.name), LabelSelector()), ingress: true, egress: true,
                    denies: [.ingress, .egress], tier: .admin))
        case .cluster, .workload: break
        }
    }

    private mutating func refuse(_ broken: [BrokenPolicy]) {
        for broken in broken {
            result.refused += broken.refusals
            if let group = broken.group { add(unknown: group.metadata) }
            guard let kind = KnownKind(rawValue: broken.kind) else { continue }
            let key = ObjectKey(kind, namespace: broken.namespace, name: broken.name)
            guard let first = places[key] else {
                places[key] = First(location: broken.location)
                continue
            }
            // What was read well at the same place is the same definition.
            guard first.good != nil, first.location != broken.location else { continue }
            result.diagnostics.append(
                Diagnostic(
                    id: .duplicateObject, location: broken.location,
                    message: repeated(kind, namespace: broken.namespace, name: broken.name, first),
                    hint: "keep one of them, or rename one"))
            withdraw(key)
        }
    }

    /// Which of several definitions of a policy is meant is not known where they do not say the same: the one that was used so far closes
    /// as well.
    private mutating func withdraw(_ key: ObjectKey) {
        guard let good = places[key]?.good else { return }
        places[key]?.good = nil
        withdrawn.insert(good.key)
        result.refused += PolicyRefusal.closing(good)
    }

    private func repeated(_ kind: KnownKind, namespace: String, name: String, _ first: First) -> String {
        let place = first.location.map { ", first at \($0)" } ?? ""
        return "\(kind.rawValue) \(namespace.isEmpty ? name : "\(namespace)/\(name)") is defined twice\(place)"
    }

    /// A CiliumCIDRGroup of which no more is known. Which of two of a name is meant is not known either.
    private mutating func add(unknown group: ObjectMeta) {
        result.objects.cidrGroups.removeAll { $0.metadata.name == group.name }
        result.objects.append(.cidrGroup(CIDRGroup(unknown: group)))
    }

    /// Whether an object may be used: it has no error and is the first of its name. Policies and CIDR groups that are defined several
    /// times are used only if all of these say the same.
    private mutating func accept(_ decoded: DocumentDecoder.Object) -> Bool {
        let (kind, metadata, object) = (decoded.kind, decoded.metadata, decoded.document)
        var diagnostics = decoded.diagnostics
        var isRepeated = false
        let key = metadata.name.isEmpty ? nil : ObjectKey(kind, metadata)
        let first = key.flatMap { places[$0] }
        if let key, let first {
            let message = repeated(kind, namespace: metadata.namespace, name: metadata.name, first)
            if kind == .service || kind.workload != nil {
                // One folder often holds several stages of a service or workload; no policy depends on the name alone.
                diagnostics.warn(.duplicateObject, object, message, "this one is used; keep one of them")
            } else if documents.isOfRepository, !kind.hasFieldTables {
                // Several folders of a repository often declare the namespace that they need.
                isRepeated = true
                if first.labels != metadata.labels {
                    diagnostics.warn(
                        .duplicateObject, object, "\(message), with other labels",
                        "the first is used; keep one of them")
                }
            } else if isGood(object, diagnostics), let good = first.good, decoded.means(good) {
                isRepeated = true
                diagnostics.warn(.duplicateObject, object, "\(message), saying the same", "keep one of them")
            } else {
                diagnostics.error(.duplicateObject, object, message, "keep one of them, or rename one")
                withdraw(key)
            }
        }
        result.diagnostics += diagnostics.collected.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.isBesidePolicies = !kind.bearsOnPolicies
            return diagnostic
        }
        let isGood = isGood(object, diagnostics)
        if let key, first == nil {
            places[key] = First(
                location: object.location, labels: metadata.labels,
                good: isGood && kind.hasFieldTables ? decoded.clusterObject : nil)
        }
        if !isGood { result.refused += decoded.refusals }
        if isGood, documents.keepsDocuments, kind.isPolicy {
            result.documents.insert(
                object, kind: kind.rawValue, namespace: metadata.namespace, name: metadata.name)
        }
        return isGood && !isRepeated
    }

    private func isGood(_ object: DocumentNode, _ diagnostics: DiagnosticCollector) -> Bool {
        diagnostics.errorCount == 0 && !object.isFaulty
    }
}

extension DocumentDecoder.Object {
    fileprivate var clusterObject: ClusterObject? {
        if case .cluster(let object) = value { object } else { nil }
    }

    fileprivate func means(_ other: ClusterObject) -> Bool { clusterObject?.means(other) ?? false }
}

extension ClusterObjects {
    /// Takes out policies. A CIDR group stays, as one that is unknown.
    fileprivate mutating func remove(policies keys: Set<ClusterObject.Key>) {
        guard !keys.isEmpty else { return }
        networkPolicies.removeAll { keys.contains(ClusterObject.networkPolicy($0).key) }
        clusterPolicies.removeAll { keys.contains(ClusterObject.clusterPolicy($0).key) }
        ciliumPolicies.removeAll { keys.contains(ClusterObject.ciliumPolicy($0).key) }
    }
}
