/// A policy whose document cannot be read as a whole, but whose selected pods are known; or another object that policies refer to.
public struct BrokenPolicy: Hashable, Sendable {
    /// Its kind.
    public var kind: String
    /// Its namespace; empty for cluster-scoped kinds.
    public var namespace: String
    /// Its name, or where it is written if that cannot be read.
    public var name: String
    /// Where it begins.
    public var location: SourceLocation
    /// Whom it selects, as far as its selectors can be read: rather more than fewer.
    public var refusals: [PolicyRefusal]

    /// The Service, EndpointSlice or CiliumCIDRGroup that it is: no more than the name is believed.
    var unknown: ClusterObject? {
        ClusterObject(unknown: ClusterObject.Key(kind: kind, namespace: namespace, name: name))
    }
}

extension BrokenPolicy {
    /// The longest document that is looked into, bytes; and how many lines of it may be left out.
    private static let sizeLimit = 1 << 20
    private static let lineLimit = 8
    /// How many values of a repeated key are looked at.
    private static let repeatLimit = 64

    /// Whether a text with these errors may hold policies of which the decoder knows nothing: it is no YAML, or keys are repeated in it, as
    /// where the `---` between two objects was forgotten.
    public static func mayBe(in diagnostics: [Diagnostic]) -> Bool {
        diagnostics.contains { $0.id == .syntax || $0.id == .limit || $0.id == .duplicateKey }
    }

    /// The policies of documents with a syntax error or repeated keys. Which value of a repeated key is meant is unknown, so each of them
    /// counts.
    public static func read(
        _ bytes: [UInt8], file: String, change: (DocumentNode) -> DocumentNode = { $0 }
    ) -> [BrokenPolicy] {
        var budget = DocumentBudget(file: file)
        return read(bytes, firstLine: 1, &budget, change)
    }

    /// The same of a part of a file, of which `budget` says how much may be read again.
    static func read(
        _ bytes: [UInt8], firstLine: Int, _ budget: inout DocumentBudget,
        _ change: (DocumentNode) -> DocumentNode = { $0 }
    ) -> [BrokenPolicy] {
        let file = budget.file
        let chunks = DocumentChunk.split(bytes, firstLine: firstLine)
        return chunks.flatMap { chunk -> [BrokenPolicy] in
            guard chunks.count > 1 else { return read(chunk, &budget, change) }
            guard mayBe(in: DocumentReader.read(Array(chunk.bytes), file: file).diagnostics) else { return [] }
            return read(chunk, &budget, change)
        }
    }

    /// Whom a whole policy selects, for those who must not believe the rest of it; none for other objects.
    public static func refusals(of document: DocumentNode) -> [PolicyRefusal] {
        guard let kind = document["kind"]?.string.flatMap(KnownKind.init), kind.isPolicy else { return [] }
        var decoder = ManifestDecoder()
        let root = document.asRoot()
        decoder.add(DocumentNode(root.content, location: root.location, path: root.path, hasRepeatedKey: true))
        return decoder.finish().refused
    }

    /// The policies among the items of a document that is no list for want of its kind: `kubectl` writes that last.
    public static func items(of document: DocumentNode) -> [BrokenPolicy] {
        guard document["kind"] == nil, let items = document["items"]?.elements else { return [] }
        return items.compactMap { read($0, cut: [], hasAllLines: true) }
    }

    /// The policies among the values of a list that has no items, or something else in their place.
    static func inside(_ list: DocumentNode) -> [BrokenPolicy] {
        let values = (list.members ?? []).filter { $0.key != "metadata" }.map(\.value)
        return values.flatMap { $0.elements ?? [$0] }.filter { $0.members != nil }
            .compactMap { read($0, cut: [], hasAllLines: true) }
    }

    /// The policies of one document, whichever value of a repeated key is meant; and of each object in it, if there are several without
    /// `---` between them.
    private static func read(
        _ chunk: DocumentChunk, _ budget: inout DocumentBudget, _ change: (DocumentNode) -> DocumentNode
    ) -> [BrokenPolicy] {
        let file = budget.file
        let size = min(chunk.bytes.count, sizeLimit)
        let whole = PartialDocument(
            DocumentChunk(bytes: chunk.bytes.prefix(sizeLimit), firstLine: chunk.firstLine), file: file)
        let first = read(chunk, file: file, occurrence: 0, change) { true }
        var found = first
        // Also where the first of them is no YAML, or so long that nothing behind it has been read.
        for piece in pieces(chunk).dropFirst() { found += read(piece, file: file, occurrence: 0, change) { true } }
        var hasRoom = true
        for occurrence in (0..<min(whole.mostRepeats, repeatLimit)).dropFirst() where hasRoom {
            found += read(chunk, file: file, occurrence: occurrence, change) {
                hasRoom = budget.spendRepeated(bytes: size)
                return hasRoom
            }
        }
        // Whom the values select that nobody has looked at is not known.
        if !hasRoom || whole.mostRepeats > repeatLimit { found += first.map(\.selectingAll) }
        return found.reduce(into: []) { merged, policy in
            guard
                let same = merged.firstIndex(where: {
                    ($0.kind, $0.namespace, $0.name) == (policy.kind, policy.namespace, policy.name)
                })
            else { return merged.append(policy) }
            merged[same].refusals += policy.refusals.filter { refusal in
                !merged[same].refusals.contains { $0.isolatesAs(refusal) }
            }
        }
    }

    /// The same policy, selecting whatever one of its kind may in its namespace.
    private var selectingAll: BrokenPolicy {
        var policy = self
        for index in policy.refusals.indices {
            let all = LabelSelector()
            switch policy.refusals[index].subject {
            case nil: continue
            case .nodes: policy.refusals[index].subject = .nodes(all)
            case .pods, .endpoints:
                policy.refusals[index].subject = .pods(namespace.isEmpty ? .matching(all) : .named(namespace), all)
            }
            policy.refusals[index].ingress = true
            policy.refusals[index].egress = true
            policy.refusals[index].priority = 0
            if kind == KnownKind.clusterNetworkPolicy.rawValue { policy.refusals[index].tier = .admin }
        }
        return policy
    }

    /// A document cut before each line that begins another object: at the margin, where keys of objects stand, a key comes again, or an
    /// `apiVersion` behind a `kind`.
    private static func pieces(_ chunk: DocumentChunk) -> [DocumentChunk] {
        var found: [DocumentChunk] = []
        let (apiVersion, kind) = (ArraySlice("apiVersion".utf8), ArraySlice("kind".utf8))
        var keys: Set<ArraySlice<UInt8>> = []
        var start = chunk.bytes.startIndex
        var (startLine, line) = (chunk.firstLine, chunk.firstLine)
        var place = start
        while place < chunk.bytes.endIndex {
            let end = chunk.bytes[place...].firstIndex(of: UInt8(ascii: "\n")) ?? chunk.bytes.endIndex
            let text = chunk.bytes[place..<end]
            if let first = text.first, !DocumentReader.isSpace(first), first != UInt8(ascii: "#"),
                let colon = text.firstIndex(of: UInt8(ascii: ":")),
                !keys.insert(text[..<colon]).inserted || (text[..<colon] == apiVersion && keys.contains(kind))
            {
                found.append(DocumentChunk(bytes: chunk.bytes[start..<place], firstLine: startLine))
                (start, startLine) = (place, line)
                keys = [text[..<colon]]
            }
            place = min(end + 1, chunk.bytes.endIndex)
            line += 1
        }
        return found + [DocumentChunk(bytes: chunk.bytes[start...], firstLine: startLine)]
    }

    /// Reads up to the first error; if that does not say whom the policy selects, reads on without the lines that are in the
    /// way.
    private static func read(
        _ chunk: DocumentChunk, file: String, occurrence: Int, _ change: (DocumentNode) -> DocumentNode,
        mayRead: () -> Bool
    ) -> [BrokenPolicy] {
        var lines = chunk.bytes.prefix(sizeLimit).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for attempt in 0...lineLimit {
            guard mayRead() else { return [] }
            let text = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
            let part = PartialDocument(
                DocumentChunk(bytes: text[...], firstLine: chunk.firstLine), file: file, occurrence: occurrence)
            guard let root = part.root else { return [] }
            let isList = root["kind"]?.string.map { $0 == "List" } ?? (root["items"] != nil)
            let found = (isList ? root["items"]?.elements ?? [] : [root]).compactMap {
                read(change($0), cut: part.cut, hasAllLines: attempt == 0)
            }
            guard found.isEmpty, var line = part.errorLine.map({ min($0, lines.count) - 1 }) else { return found }
            // The error is often noticed at the line after it.
            while line >= 0, lines[line].allSatisfy(DocumentReader.isSpace) { line -= 1 }
            guard line >= 0 else { return [] }
            lines[line] = []
        }
        return []
    }

    /// Whom a document, or an item of a list, selects; `nil` when it is no policy, or that cannot be read. `cut` are the paths
    /// of values that may go on, `hasAllLines` says that what comes before the error is as it was written.
    private static func read(_ node: DocumentNode, cut: Set<String>, hasAllLines: Bool) -> BrokenPolicy? {
        func isWhole(_ node: DocumentNode) -> Bool {
            hasAllLines && !node.isFaulty && !cut.contains(node.path.description)
        }
        if let kind = node["kind"]?.string.flatMap(KnownKind.init), kind.isReferredTo {
            let metadata = node["metadata"]
            let name = metadata?["name"]?.string ?? ""
            var namespace = metadata?["namespace"]?.string ?? ""
            // As below; of one whose namespace is not known it may be any.
            if namespace.isEmpty, let metadata, isWhole(metadata) { namespace = "default" }
            return BrokenPolicy(
                kind: kind.rawValue, namespace: kind.namespaceKey == nil ? "" : namespace,
                name: name.isEmpty ? "at \(node.location)" : name, location: node.location, refusals: [])
        }
        guard let kind = node["kind"]?.string, let known = KnownKind(rawValue: kind), known.isPolicy,
            let metadata = node["metadata"], metadata.members != nil, hasSelector(node, known)
        else { return nil }
        let isNamespaced = known == .networkPolicy || known == .ciliumNetworkPolicy
        let namespace = metadata["namespace"]?.string ?? ""
        // A missing namespace is `default` only if it is known to be missing.
        guard !isNamespaced || !namespace.isEmpty || isWhole(metadata) else { return nil }
        var decoder = ManifestDecoder()
        // Marked as faulty, so that nothing of it is taken for good.
        let root = node.asRoot()
        decoder.add(DocumentNode(root.content, location: root.location, path: root.path, hasRepeatedKey: true))
        var refusals = decoder.finish().refused.filter { $0.subject != nil }
        guard !refusals.isEmpty else { return nil }
        for index in refusals.indices where refusals[index].tier == .normal {
            let types = node["spec"]?["policyTypes"].flatMap { isWhole($0) ? $0.elements?.map(\.string) : nil }
            let knowsTypes = known == .networkPolicy && types?.isEmpty == false
            refusals[index].ingress = knowsTypes ? types?.contains("Ingress") ?? true : true
            refusals[index].egress = knowsTypes ? types?.contains("Egress") ?? true : true
        }
        let name = metadata["name"]?.string ?? ""
        return BrokenPolicy(
            kind: kind, namespace: isNamespaced ? (namespace.isEmpty ? "default" : namespace) : "",
            name: name.isEmpty ? "at \(node.location)" : name, location: node.location, refusals: refusals)
    }

    /// Whether a policy says whom it selects.
    private static func hasSelector(_ node: DocumentNode, _ kind: KnownKind) -> Bool {
        let specs = (node["spec"].map { [$0] } ?? []) + (node["specs"]?.elements ?? [])
        let field =
            switch kind {
            case .networkPolicy: "podSelector"
            case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy: "endpointSelector"
            case .clusterNetworkPolicy, .adminNetworkPolicy, .baselineAdminNetworkPolicy: "subject"
            case .namespace, .pod, .node, .service, .endpointSlice, .deployment, .statefulSet, .daemonSet, .replicaSet,
                .replicationController, .job, .cronJob, .ciliumCIDRGroup:
                ""
            }
        return specs.contains { $0[field]?.members != nil }
    }
}

extension PolicyRefusal {
    /// Whether it says the same of the same pods, wherever it is written.
    fileprivate func isolatesAs(_ other: PolicyRefusal) -> Bool {
        var moved = self
        moved.origin = other.origin
        return moved == other
    }
}
