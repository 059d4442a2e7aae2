import PolicyAPI

/// The objects of the files that a kustomization takes, to find what it made of which.
struct KustomizeSources {
    /// By kind: objects with a name.
    private var objects: [String: [(name: String, object: DocumentNode)]] = [:]

    /// Reads the files of a folder's kustomization, and of those that it takes.
    init(_ folder: String) {
        var seen: Set<String> = []
        read(folder, &seen, depth: 0)
    }

    private mutating func read(_ folder: String, _ seen: inout Set<String>, depth: Int) {
        guard depth < 32, let file = KustomizeBuild.file(in: folder), seen.insert(Kustomization.normal(file)).inserted,
            let bytes = try? ManifestFiles.read(file)
        else { return }
        for path in Kustomization(bytes, file: file).resources {
            if KustomizeBuild.file(in: path) != nil {
                read(path, &seen, depth: depth + 1)
            } else if seen.insert(path).inserted, let bytes = try? ManifestFiles.read(path) {
                for document in DocumentReader.read(bytes, file: path).documents { add(document) }
            }
        }
    }

    private mutating func add(_ document: DocumentNode) {
        if document["kind"]?.string == "List" {
            for item in document["items"]?.elements ?? [] { add(item.asRoot()) }
        } else if let kind = document["kind"]?.string, let name = document["metadata"]?["name"]?.string {
            objects[kind, default: []].append((name, document))
        }
    }

    /// The object that a rendered one was made of: of the same kind, with a name that the rendered one's has in it, the longest.
    ///
    /// - Returns: `nil` when there is none, or several may be.
    func object(behind rendered: DocumentNode) -> DocumentNode? {
        guard let kind = rendered["kind"]?.string, let name = rendered["metadata"]?["name"]?.string else { return nil }
        let near = (objects[kind] ?? []).filter { name.contains($0.name) }
        let longest = near.map(\.name.utf8.count).max() ?? 0
        let best = near.filter { $0.name.utf8.count == longest }
        if best.count == 1 { return best[0].object }
        let namespace = rendered["metadata"]?["namespace"]?.string
        let same = best.filter { $0.object["metadata"]?["namespace"]?.string == namespace }
        return same.count == 1 ? same[0].object : nil
    }
}
