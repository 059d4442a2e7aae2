import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// What the kustomizations of the agent's folder make of one of its files.
///
/// The agent has no kustomize. A namespace alone it follows, as `-f` does. Anything else it cannot: then nothing of the file is taken for
/// good, and its policies are refused, so that the pods they may select are isolated. Leaving them out would open those pods.
struct KustomizedChange: Hashable {
    /// What becomes of the file.
    private let fate: KustomizationIndex.Fate
    /// The namespaces that its objects end in; `nil` for that which is written.
    private let namespaces: Set<String?>
    /// Whether more is changed than names, so that a selector may select others.
    private let mayWiden: Bool
    /// Whether a patch may add what is not written.
    private let mayDeny: Bool
    /// What to say of it; empty for what needs no words.
    private let words: String
    /// What a kustomization takes that is not in the folder.
    fileprivate let unread: UnreadResources?

    /// What becomes of a file; `nil` when it is read as it is written.
    init?(_ path: String, _ index: KustomizationIndex) {
        fate = index.fate(of: path)
        guard fate != .read else { return nil }
        namespaces = index.namespaces(of: path)
        unread = index.unread(by: path)
        let changing = index.changing(path)
        let fields = changing.flatMap(\.changes).compactMap { if case .other(let field) = $0 { field } else { nil } }
        mayWiden = fields.contains { !["namePrefix", "nameSuffix", "replicas"].contains($0) }
        mayDeny = fields.contains {
            !["namePrefix", "nameSuffix", "replicas", "labels", "commonLabels", "commonMetadata"].contains($0)
        }
        let isLeftOut = fate == .leftOut || fate == .bareLeftOut
        words =
            isLeftOut
            ? changing.map { "\($0.location) sets \($0.summary)" }.sorted().joined(separator: "; ") : ""
    }

    /// The document as it is applied; `nil` when that cannot be told.
    fileprivate func apply(_ document: DocumentNode) -> DocumentNode? {
        switch fate {
        case .read, .part: document
        case .moved(let name): document.moved(toNamespace: name)
        case .settled(let name): document.moved(toNamespace: name, onlyBare: true)
        case .leftOut: nil
        case .bareLeftOut: document.isBare ? nil : document
        }
    }

    fileprivate var isPart: Bool { fate == .part }

    /// What is wrong with an object that cannot be read.
    fileprivate func diagnostic(at location: SourceLocation) -> Diagnostic {
        Diagnostic(
            id: .kustomization, location: location,
            message: "\(words), which is not what the file says, and the agent cannot render it",
            hint: KustomizedChange.remedy)
    }

    fileprivate static let remedy = "give the agent a folder with what `kustomize build` makes"

    /// Policies that isolate whom a policy may select, once it is applied.
    fileprivate func isolating(_ document: DocumentNode) -> [LoweredPolicy] {
        namespaces.sorted { ($0 ?? "") < ($1 ?? "") }.flatMap { namespace -> [LoweredPolicy] in
            let moved = namespace.map { document.moved(toNamespace: $0) } ?? document
            let refusals = BrokenPolicy.refusals(of: moved).map(widened)
            return PolicyLowering.lowerRefused(refusals)
        }
    }

    private func widened(_ refusal: PolicyRefusal) -> PolicyRefusal {
        guard mayWiden else { return refusal }
        var refusal = refusal
        switch refusal.subject {
        case .pods(.named(let namespace), _): refusal.subject = .pods(.named(namespace), LabelSelector())
        case .pods(.matching, _): refusal.subject = .pods(.matching(LabelSelector()), LabelSelector())
        case .endpoints: refusal.subject = .endpoints(LabelSelector())
        case .nodes, nil: break
        }
        guard mayDeny else { return refusal }
        refusal.ingress = true
        refusal.egress = true
        if refusal.tier != .normal { refusal.denies = [.ingress, .egress] }
        return refusal
    }
}

extension ManifestFile {
    /// Decodes the bytes of a file that kustomizations change.
    init(decoding bytes: [UInt8], file: String, _ change: KustomizedChange) {
        guard !change.isPart else {
            // A kustomization, or a patch, is no object; one that cannot be read is broken as any file.
            let output = DocumentReader.read(bytes, file: file)
            self.init()
            note(output.diagnostics)
            let missing = change.unread?.diagnostics.map { diagnostic in
                var diagnostic = diagnostic
                diagnostic.severity = .error
                diagnostic.hint = KustomizedChange.remedy
                return diagnostic
            }
            note(missing ?? [])
            return
        }
        var leftOut: [DocumentNode] = []
        self.init(decoding: bytes, file: file) { document in
            guard let applied = change.apply(document) else {
                leftOut.append(document)
                return nil
            }
            return applied
        }
        for document in leftOut {
            let items = document["kind"]?.string == "List" ? document["items"]?.elements ?? [] : [document]
            for item in items { refuse(item.asRoot(), change) }
        }
    }

    /// Refuses an object because what it is once it is applied is not known.
    private mutating func refuse(_ object: DocumentNode, _ change: KustomizedChange) {
        guard let key = ObjectKey(object), key.objectKind != nil else { return }
        let diagnostic = change.diagnostic(at: object.location)
        if unreadable.isEmpty { unreadable.append(DiagnosticRenderer().render(diagnostic)) }
        refused.append(
            RefusedObject(
                key: key, origin: .manifest(object.location), diagnostics: [diagnostic],
                isolating: change.isolating(object)))
    }
}
