/// A policy in a document that cannot be read as a whole, of which it is known whom it selects.
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
}

extension BrokenPolicy {
    /// The longest document that is looked into, bytes; and how many lines of it may be left out.
    private static let sizeLimit = 1 << 20
    private static let lineLimit = 8

    /// The policies of documents with a syntax error.
    public static func read(_ bytes: [UInt8], file: String) -> [BrokenPolicy] {
        DocumentChunk.split(bytes).flatMap { chunk -> [BrokenPolicy] in
            let whole = DocumentReader.read(Array(chunk.bytes), file: file)
            guard whole.diagnostics.contains(where: { $0.id == .syntax || $0.id == .limit }) else { return [] }
            return read(chunk, file: file)
        }
    }

    /// The policies among the items of a document that is no list for want of its kind: `kubectl` writes that last.
    public static func items(of document: DocumentNode) -> [BrokenPolicy] {
        guard document["kind"] == nil, let items = document["items"]?.elements else { return [] }
        return items.compactMap { read($0.asRoot(), isWhole: !$0.isFaulty, hasAllLines: true) }
    }

    /// Reads up to the first error; if that does not say whom the policy selects, reads on without the lines that are in the
    /// way.
    private static func read(_ chunk: DocumentChunk, file: String) -> [BrokenPolicy] {
        var lines = chunk.bytes.prefix(sizeLimit).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for attempt in 0...lineLimit {
            let text = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
            let part = PartialDocument(DocumentChunk(bytes: text[...], firstLine: chunk.firstLine), file: file)
            guard let root = part.root else { return [] }
            let isList = root["kind"]?.string.map { $0 == "List" } ?? (root["items"] != nil)
            let found =
                isList
                ? (root["items"]?.elements ?? []).compactMap {
                    read($0.asRoot(), isWhole: !$0.isFaulty, hasAllLines: attempt == 0)
                }
                : read(root, isWhole: false, hasAllLines: attempt == 0).map { [$0] } ?? []
            guard found.isEmpty, var line = part.errorLine.map({ min($0, lines.count) - 1 }) else { return found }
            // The error is often noticed at the line after it.
            while line >= 0, lines[line].allSatisfy(DocumentReader.isSpace) { line -= 1 }
            guard line >= 0 else { return [] }
            lines[line] = []
        }
        return []
    }

    /// Whom a document selects; `nil` when it is no policy, or that cannot be read.
    ///
    /// - Parameters:
    ///   - isWhole: whether nothing of it is missing.
    ///   - hasAllLines: whether what comes before the error is as it was written.
    private static func read(_ node: DocumentNode, isWhole: Bool, hasAllLines: Bool) -> BrokenPolicy? {
        guard let kind = node["kind"]?.string, let known = KnownKind(rawValue: kind), known.isPolicy,
            let metadata = node["metadata"], metadata.members != nil, hasSelector(node, known)
        else { return nil }
        let isNamespaced = known == .networkPolicy || known == .ciliumNetworkPolicy
        let namespace = metadata["namespace"]?.string ?? ""
        // A missing namespace is `default` only if it is known to be missing.
        guard !isNamespaced || !namespace.isEmpty || hasAllLines && !metadata.isFaulty else { return nil }
        var decoder = ManifestDecoder()
        // Marked as faulty, so that nothing of it is taken for good.
        decoder.add(DocumentNode(node.content, location: node.location, path: node.path, hasRepeatedKey: true))
        var refusals = decoder.finish().refused.filter { $0.subject != nil }
        guard !refusals.isEmpty else { return nil }
        let types = node["spec"]?["policyTypes"]
        let knowsDirections = isWhole || hasAllLines && types?.elements?.isEmpty == false && types?.isFaulty == false
        for index in refusals.indices where refusals[index].tier == .normal && !knowsDirections {
            refusals[index].ingress = true
            refusals[index].egress = true
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
