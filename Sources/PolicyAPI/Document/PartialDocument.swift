/// What can be read of a document up to its first syntax error.
///
/// For those who must know whom a broken policy is about: never for what it allows.
struct PartialDocument {
    /// Values of one document; what is beyond is not read.
    static let nodeLimit = 100_000

    /// The document as far as it goes; `nil` when nothing of it can be read.
    private(set) var root: DocumentNode?
    /// The paths of lists and maps that were not at their end there.
    private(set) var cut: Set<String> = []
    /// The line of the error, from 1 at the first of the chunk; `nil` when there was none.
    private(set) var errorLine: Int?
    /// How often a key came that came most often, among those that decide whom a policy selects; 1 where none is repeated.
    private(set) var mostRepeats = 1

    /// What a list or map is of a policy, as far as it decides whom that selects.
    private enum Role {
        case items, object, metadata, specs, spec, selector, other

        /// That of a list or map inside, by its key in a map.
        func inside(_ key: String?) -> Role {
            switch (self, key) {
            case (.object, "items"?): .items
            case (.object, "metadata"?): .metadata
            case (.object, "specs"?): .specs
            case (.object, "spec"?): .spec
            case (.items, nil): .object
            case (.specs, nil): .spec
            // Of `specs` that are no list, but a rule without its dash.
            case (.spec, "podSelector"?), (.spec, "endpointSelector"?), (.spec, "nodeSelector"?), (.spec, "subject"?),
                (.specs, "endpointSelector"?), (.specs, "nodeSelector"?), (.selector, _):
                .selector
            default: .other
            }
        }

        /// Whether it matters which value of a repeated key is meant.
        func counts(_ key: String) -> Bool {
            switch self {
            case .object: ["apiVersion", "kind", "metadata", "spec", "specs", "items"].contains(key)
            case .metadata: key == "name" || key == "namespace"
            case .spec, .specs:
                [
                    "podSelector", "policyTypes", "endpointSelector", "nodeSelector", "subject", "tier", "priority",
                ].contains(key)
            case .selector: true
            case .items, .other: false
            }
        }
    }

    /// A list or map that has not ended.
    private struct Open {
        var isMap: Bool
        var role: Role
        var location: SourceLocation
        var path: DocumentPath
        var elements: [DocumentNode] = []
        var builder: DocumentMapBuilder
        var key: (name: String, location: SourceLocation)?

        /// The path of the value that comes next.
        var next: DocumentPath {
            isMap ? key.map { path.appending(key: $0.name) } ?? path : path.appending(index: elements.count)
        }

        mutating func add(_ node: DocumentNode) {
            guard isMap else { return elements.append(node) }
            guard let key else { return }
            builder.add(DocumentMember(key: key.name, location: key.location, value: node))
            self.key = nil
        }

        var node: DocumentNode {
            DocumentNode(
                isMap ? .map(builder.members) : .list(elements), location: location, path: path,
                hasRepeatedKey: !builder.diagnostics.isEmpty)
        }
    }

    /// Reads the first document of a chunk. `occurrence`: which of the values of a repeated key is taken, 0 the first; the last where
    /// there are not so many.
    init(_ chunk: DocumentChunk, file: String, occurrence: Int = 0) {
        var open: [Open] = []
        var root: DocumentNode?
        var count = 0
        chunk.bytes.withUnsafeBufferPointer { input in
            var events = YAMLEvents(chunk, input: input, file: file)
            func add(_ node: DocumentNode) {
                if open.isEmpty { root = root ?? node } else { open[open.count - 1].add(node) }
            }
            do throws(DocumentFailure) {
                while root == nil, count < PartialDocument.nodeLimit {
                    let event = try events.next()
                    count += 1
                    let path = open.last?.next ?? .root
                    switch event {
                    case .streamEnd: return
                    case .streamStart, .documentStart, .documentEnd: break
                    case .listStart, .mapStart:
                        guard open.count < DocumentLimits.depth else { return }
                        let role = open.last.map { $0.role.inside($0.isMap ? $0.key?.name ?? "" : nil) } ?? .object
                        open.append(
                            Open(
                                isMap: event == .mapStart, role: role, location: events.location, path: path,
                                builder: DocumentMapBuilder(occurrence: occurrence)))
                    case .listEnd, .mapEnd:
                        if let ended = open.popLast() {
                            mostRepeats = max(mostRepeats, ended.builder.mostOften(ended.role.counts))
                            add(ended.node)
                        }
                    case .alias:
                        // What it stands for is not looked up: a value that cannot be read.
                        add(DocumentNode(.null, location: events.location, path: path, hasRepeatedKey: true))
                    case .scalar:
                        let text = events.text
                        if let last = open.last, last.isMap, last.key == nil {
                            open[open.count - 1].key = (text, events.location)
                        } else {
                            let scalar =
                                events.isPlain ? DocumentScalar(plain: text) : DocumentScalar(text: text, kind: .string)
                            add(
                                DocumentNode(
                                    scalar.map { .scalar($0) } ?? .null, location: events.location, path: path))
                        }
                    }
                }
            } catch {
                errorLine = error.location.line - chunk.firstLine + 1
            }
        }
        while let ended = open.popLast() {
            cut.insert(ended.path.description)
            mostRepeats = max(mostRepeats, ended.builder.mostOften(ended.role.counts))
            let node = ended.node
            if open.isEmpty { root = root ?? node } else { open[open.count - 1].add(node) }
        }
        self.root = root
    }
}
