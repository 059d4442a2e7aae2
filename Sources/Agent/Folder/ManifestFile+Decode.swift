public import PolicyAPI
import PolicyAnalysis
import PolicyIR

extension ManifestFile {
    /// Decodes the bytes of a file, object by object, so that each error is known to be of one object.
    public init(decoding bytes: [UInt8], file: String) {
        self.init(decoding: bytes, file: file) { $0 }
    }

    /// The same, of documents as they are applied; those of which `change` makes nothing are passed over, but for policies in what is
    /// broken.
    init(decoding bytes: [UInt8], file: String, change: (DocumentNode) -> DocumentNode?) {
        self.init()
        let output = DocumentReader.read(bytes, file: file)
        note(output.diagnostics)
        for document in output.documents { if let applied = change(document) { add(applied) } }
        if BrokenPolicy.mayBe(in: output.diagnostics) {
            refuse(BrokenPolicy.read(bytes, file: file) { change($0) ?? $0 }, output.diagnostics)
        }
    }

    /// A file that could not be read at all.
    public init(unreadable diagnostic: Diagnostic) {
        self.init(unreadable: [DiagnosticRenderer().render(diagnostic)])
    }

    mutating func note(_ diagnostics: [Diagnostic]) {
        let renderer = DiagnosticRenderer()
        unreadable += diagnostics.errors.map(renderer.render)
        warnings += diagnostics.filter { $0.severity != .error }.map(renderer.render)
    }

    private mutating func add(_ document: DocumentNode) {
        // Items of typed lists may leave out their kind, so only the plain `List` is taken apart here.
        if document["kind"]?.string == "List", let items = document["items"]?.elements {
            for item in items { add(item.asRoot()) }
            return
        }
        if let kind = document["kind"]?.string, Workload.Kind(rawValue: kind) != nil, let key = ObjectKey(document) {
            workloads.append(key)
        }
        var decoder = ManifestDecoder()
        decoder.add(document)
        var decoded = decoder.finish()
        // A typed list may have several.
        let unknown = decoded.objects.takeUnknown()
        objects += decoded.objects.each
        let wrong = decoded.diagnostics.errors
        // Of a Service that a list has twice there are only warnings.
        let errors = wrong.isEmpty ? decoded.diagnostics : wrong
        guard !wrong.isEmpty || !unknown.isEmpty else { return note(decoded.diagnostics) }
        if document["kind"] == nil, document["items"] != nil {
            // Perhaps a list that breaks off before its kind: of its items only whom they select is known.
            unreadable += errors.map(DiagnosticRenderer().render)
            return refuse(BrokenPolicy.items(of: document), errors)
        }
        let origin = ObjectOrigin.manifest(document.location)
        refused += unknown.map { object in
            RefusedObject(key: object.key, origin: origin, diagnostics: errors, isolating: [], unknown: object)
        }
        if !decoded.refused.isEmpty {
            let byObject = Dictionary(grouping: decoded.refused) { ObjectKey($0.origin) }
            for (key, refusals) in byObject.sorted(by: { $0.key < $1.key }) {
                refused.append(
                    RefusedObject(
                        key: key, origin: origin, diagnostics: errors,
                        isolating: PolicyLowering.lowerRefused(refusals)))
            }
        } else if !unknown.isEmpty {
            return
        } else if let key = ObjectKey(document) {
            refused.append(RefusedObject(key: key, origin: origin, diagnostics: errors, isolating: []))
        } else {
            unreadable += errors.map(DiagnosticRenderer().render)
        }
    }

    /// Refuses policies of which no more can be read than whom they select.
    private mutating func refuse(_ policies: [BrokenPolicy], _ diagnostics: [Diagnostic]) {
        for policy in policies {
            let key = ObjectKey(kind: policy.kind, namespace: policy.namespace, name: policy.name)
            let isolating = PolicyLowering.lowerRefused(policy.refusals)
            if let known = refused.firstIndex(where: { $0.key == key }) {
                refused[known].isolating += isolating.filter { !refused[known].isolating.contains($0) }
                continue
            }
            refused.append(
                RefusedObject(
                    key: key, origin: .manifest(policy.location),
                    diagnostics: diagnostics.errors,
                    isolating: isolating))
        }
    }
}

extension ObjectKey {
    /// The object that a document which could not be decoded would have been; `nil` when it does not say.
    init?(_ document: DocumentNode) {
        guard let kind = document["kind"]?.string, let metadata = document["metadata"],
            let name = metadata["name"]?.string, !name.isEmpty
        else { return nil }
        let isClusterScoped = ObjectKind(rawValue: kind)?.isClusterScoped ?? false
        let namespace = metadata["namespace"]?.string ?? ""
        self.init(
            kind: kind, namespace: isClusterScoped ? "" : namespace.isEmpty ? "default" : namespace, name: name)
    }
}
