/// The documents of policies, to look up where a value of an object is written.
public struct PolicyDocuments: Sendable {
    private struct Key: Hashable {
        var kind: String
        var namespace: String
        var name: String
    }

    private var documents: [Key: DocumentNode] = [:]

    /// No documents.
    public init() {}

    /// Keeps the document of an object.
    mutating func insert(_ document: DocumentNode, kind: String, namespace: String, name: String) {
        documents[Key(kind: kind, namespace: namespace, name: name)] = document
    }

    /// The location of a path such as `spec.ingress[0].ports[1].port` in the object of a rule: of the value, if it is a
    /// scalar or a list element, else of its key. Of a path that does not exist, the longest part that does. `nil` for an
    /// unknown object.
    package func place(of path: String, in origin: RuleOrigin) -> SourceLocation? {
        let key = Key(kind: origin.kind, namespace: origin.namespace, name: origin.name)
        guard var node = documents[key] else { return nil }
        var place = node.location
        for step in PolicyDocuments.steps(path) {
            switch step {
            case .key(let key):
                guard let member = node.members?.first(where: { $0.key == key }) else { return place }
                node = member.value
                place = node.scalar == nil ? member.location : node.location
            case .index(let index):
                guard let elements = node.elements, elements.indices.contains(index) else { return place }
                node = elements[index]
                place = node.location
            }
        }
        return place
    }

    /// The steps of a path whose keys are plain words.
    private static func steps(_ path: String) -> [DocumentPath.Step] {
        path.split(separator: ".").flatMap { part -> [DocumentPath.Step] in
            let pieces = part.split(separator: "[")
            return pieces.enumerated().map { index, piece in
                if index > 0, piece.hasSuffix("]"), let number = Int(piece.dropLast()) { return .index(number) }
                return .key(String(piece))
            }
        }
    }
}
