/// Turns manifests into objects. Every error of every file is reported in one pass, and an object with an error does not
/// affect other objects.
public struct ManifestDecoder: Sendable {
    private var result = DecodedManifests()
    /// The definitions of each object.
    private var places: [ObjectKey: Definitions] = [:]
    /// Policies and Namespaces that were used until another definition contradicted them.
    private var withdrawn: Set<ClusterObject.Key> = []
    /// What policies do not know of objects that they refer to, and where that is written.
    private var unknown: [(object: ClusterObject, location: SourceLocation)] = []

    /// What is known of the definitions of an object.
    private struct Definitions {
        /// Of the first.
        var location: SourceLocation?
        /// Of the first.
        var labels: [String: String] = [:]
        /// Whether one of them is used.
        var isUsed = false
        /// What they come to; of kinds of which the first counts, whatever others say, the good ones are not among them.
        var object = DefinedObject<SourceLocation>()
    }

    /// What becomes of an object.
    private enum Fate {
        /// It is used.
        case used
        /// Another definition is, which was there before.
        case repeated
        /// It has an error.
        case refused
        /// It, or another definition of it, has an error, or they do not say the same.
        case contradicted
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
        let known = (diagnostics: result.diagnostics.count, refused: result.refused.count, unknown: unknown.count)
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
            refuse(BrokenPolicy.read(bytes, firstLine: firstLine, &budget) { change($0) ?? $0 })
        }
        guard isOfRepository,
            result.diagnostics[known.diagnostics...].contains(where: {
                $0.severity == .error && $0.id != .duplicateObject
            })
        else { return holdsAny }
        // Errors in a template are dropped: its author cannot fix them there. Those of other documents of the file stay, and so does the
        // refusal of a policy that it contradicts.
        let templates = TemplateDocuments(
            bytes, file: file, firstLine: firstLine, firstColumn: firstColumn,
            errors: result.diagnostics[known.diagnostics...].filter {
                $0.severity == .error && $0.id != .duplicateObject
            })
        guard let place = templates.placeholder else { return holdsAny }
        let found = (
            result.diagnostics[known.diagnostics...], result.refused[known.refused...], unknown[known.unknown...]
        )
        result.diagnostics.removeSubrange(known.diagnostics...)
        result.diagnostics += found.0.filter { $0.id == .duplicateObject || !templates.hold($0.location) }
        result.refused.removeSubrange(known.refused...)
        result.refused += found.1.filter { !templates.hold($0.origin.location) }
        unknown.removeSubrange(known.unknown...)
        unknown += found.2.filter { !templates.hold($0.location) }
        guard templates.namePolicy else {
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
        result.objects.remove(withdrawn)
        result.objects.add(unknown: unknown.map(\.object))
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
        let fate = judge(object)
        if fate == .refused || fate == .contradicted { note(refused: object, fate) }
        guard fate == .used else { return }
        switch object.value {
        case .workload(let workload):
            if isKnown { result.workloads.removeAll { $0.description == workload.description } }
            result.workloads.append(workload)
        case .cluster(let value):
            result.objects.append(value)
        }
    }

    /// Of a refused Service, EndpointSlice or CiliumCIDRGroup policies are to know that they do not know whom they deny by it; the pods of a
    /// refused Namespace, of which selectors do not know the labels, are closed, and so are the addresses of a refused Pod or Node.
    private mutating func note(refused decoded: DocumentDecoder.Object, _ fate: Fate) {
        guard case .cluster(let object) = decoded.value else { return }
        let document = decoded.document
        if isGood(document, decoded.diagnostics) {
            if fate == .contradicted { add(unknown: object.unknown, document.location) }
            return
        }
        result.refused += PolicyRefusal.standingIn(for: object, at: document.location)
        var metadata = object.metadata
        if metadata.name.isEmpty { metadata.name = "at \(document.location)" }
        // Where one of the labels cannot be read, the others do not say which selectors mean the object.
        let unread = decoded.diagnostics.collected.filter { $0.severity == .error }.map(\.path)
        if document.isFaulty || unread.contains(where: { $0.hasPrefix("metadata") }) { metadata.labels = [:] }
        if unread.contains(where: { $0.hasPrefix("metadata.namespace") }) { metadata.namespace = "" }
        add(unknown: ClusterObject(unknown: metadata, kind: object.kind), document.location)
    }

    private mutating func refuse(_ broken: [BrokenPolicy]) {
        for broken in broken {
            result.refused += broken.refusals
            add(unknown: broken.unknown, broken.location)
            guard let kind = KnownKind(rawValue: broken.kind) else { continue }
            let key = ObjectKey(kind, namespace: broken.namespace, name: broken.name)
            guard let first = places[key] else {
                places[key, default: Definitions(location: broken.location)].object.add(nil, at: broken.location)
                continue
            }
            places[key]?.object.add(nil, at: broken.location)
            guard places[key]?.object.isContradicted == true, !first.object.isContradicted else { continue }
            result.diagnostics.append(
                Diagnostic(
                    id: .duplicateObject, location: broken.location,
                    message: repeated(kind, namespace: broken.namespace, name: broken.name, first),
                    hint: "keep one of them, or rename one"))
            withdraw(first.object.good)
        }
    }

    /// Which of several definitions of an object is meant is not known where they do not say the same: the one that was used so far closes
    /// as well.
    private mutating func withdraw(_ good: ClusterObject?) {
        guard let good else { return }
        if let unknown = good.unknown {
            let place = good.metadata.location ?? .whole("")
            return add(unknown: unknown, place)
        }
        withdrawn.insert(good.key)
        result.refused += PolicyRefusal.closing(good)
    }

    private func repeated(
        _ kind: KnownKind, namespace: String, name: String, _ first: Definitions
    ) -> String {
        let place = first.location.map { ", first at \($0)" } ?? ""
        return "\(kind.rawValue) \(namespace.isEmpty ? name : "\(namespace)/\(name)") is defined twice\(place)"
    }

    private mutating func add(unknown object: ClusterObject?, _ place: SourceLocation) {
        if let object { unknown.append((object, place)) }
    }

    /// What becomes of an object. It is used if it has no error and is the first of its name. Policies, and objects that policies refer to
    /// by what they say, count only if all definitions of them say the same; of workloads the last one counts.
    private mutating func judge(_ decoded: DocumentDecoder.Object) -> Fate {
        let (kind, metadata, object) = (decoded.kind, decoded.metadata, decoded.document)
        var diagnostics = decoded.diagnostics
        let isGoodItself = isGood(object, diagnostics)
        var fate = isGoodItself ? Fate.used : .refused
        if !metadata.name.isEmpty {
            let key = ObjectKey(kind, metadata)
            let first = places[key]
            var now = first ?? Definitions(location: object.location, labels: metadata.labels)
            if kind.isDefinedOnce { now.object.add(isGoodItself ? decoded.clusterObject : nil, at: object.location) }
            if let first {
                fate = judge(decoded, first, isContradicted: now.object.isContradicted, &diagnostics)
                if now.object.isContradicted, !first.object.isContradicted { withdraw(first.object.good) }
            }
            if fate == .used { now.isUsed = true }
            places[key] = now
        }
        result.diagnostics += diagnostics.collected.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.isBesidePolicies = !kind.bearsOnPolicies
            return diagnostic
        }
        if fate == .refused || fate == .contradicted { result.refused += decoded.refusals }
        if fate == .used, documents.keepsDocuments, kind.isPolicy {
            result.documents.insert(
                object, kind: kind.rawValue, namespace: metadata.namespace, name: metadata.name)
        }
        return fate
    }

    /// The same of an object that is defined already, with what there is to say about that.
    private func judge(
        _ decoded: DocumentDecoder.Object, _ first: Definitions, isContradicted: Bool,
        _ diagnostics: inout DiagnosticCollector
    ) -> Fate {
        let (kind, metadata, object) = (decoded.kind, decoded.metadata, decoded.document)
        let isGoodItself = isGood(object, diagnostics)
        let message = repeated(kind, namespace: metadata.namespace, name: metadata.name, first)
        func fate(_ otherwise: Fate) -> Fate {
            isContradicted ? .contradicted : isGoodItself ? otherwise : .refused
        }
        if kind.workload != nil {
            // One folder often holds several stages of a workload.
            diagnostics.warn(.duplicateObject, object, message, "this one is used; keep one of them")
            return fate(.used)
        }
        if kind == .service {
            // One folder often holds several stages of a Service too. Where its packets go is no policy's concern.
            if isContradicted {
                diagnostics.warn(
                    .duplicateObject, object, "\(message), not the same: policies do not know which pods it means",
                    "policies that deny by it are refused; keep one of them")
            } else {
                diagnostics.warn(.duplicateObject, object, message, "the first is used; keep one of them")
            }
            return first.isUsed || !isGoodItself ? fate(.repeated) : .used
        }
        if documents.isOfRepository, !kind.hasFieldTables {
            // Several folders of a repository often declare the namespace that they need.
            if first.labels != metadata.labels {
                diagnostics.warn(
                    .duplicateObject, object, "\(message), with other labels", "the first is used; keep one of them")
            }
            return fate(.repeated)
        }
        if kind.hasFieldTables, isGoodItself, !isContradicted {
            diagnostics.warn(.duplicateObject, object, "\(message), saying the same", "keep one of them")
            return .repeated
        }
        diagnostics.error(.duplicateObject, object, message, "keep one of them, or rename one")
        return fate(.refused)
    }

    private func isGood(_ object: DocumentNode, _ diagnostics: DiagnosticCollector) -> Bool {
        diagnostics.errorCount == 0 && !object.isFaulty
    }
}

extension DocumentDecoder.Object {
    fileprivate var clusterObject: ClusterObject? {
        if case .cluster(let object) = value { object } else { nil }
    }

}

extension ClusterObjects {
    /// Takes out Namespaces and policies.
    fileprivate mutating func remove(_ keys: Set<ClusterObject.Key>) {
        guard !keys.isEmpty else { return }
        namespaces.removeAll { keys.contains(ClusterObject.namespace($0).key) }
        networkPolicies.removeAll { keys.contains(ClusterObject.networkPolicy($0).key) }
        clusterPolicies.removeAll { keys.contains(ClusterObject.clusterPolicy($0).key) }
        ciliumPolicies.removeAll { keys.contains(ClusterObject.ciliumPolicy($0).key) }
    }
}
