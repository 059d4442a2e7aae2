/// Composes the events of one chunk into documents: depth and size are capped, aliases are expanded (each value with its
/// path there), merge keys (`<<`) are applied, repeated keys are reported.
struct YAMLReader {
    /// What is left of the file's budget.
    private(set) var budget: DocumentBudget
    private let chunk: DocumentChunk
    private var anchors: [String: Composed] = [:]
    private var diagnostics: [Diagnostic] = []

    /// A value, how many values it contains and how deep it is.
    private struct Composed {
        var node: DocumentNode
        var count: Int
        var height: Int
    }

    init(_ chunk: DocumentChunk, _ budget: DocumentBudget) {
        self.chunk = chunk
        self.budget = budget
    }

    /// The documents of the chunk up to its first syntax error.
    mutating func read() -> DocumentReader.Output {
        var output = DocumentReader.Output()
        chunk.bytes.withUnsafeBufferPointer { input in
            var events = YAMLEvents(chunk, input: input, file: budget.file)
            do throws(DocumentFailure) {
                while true {
                    let event = try events.next()
                    if case .streamEnd = event.kind { return }
                    guard case .documentStart = event.kind else { continue }
                    anchors = [:]
                    diagnostics = []
                    let root = try compose(try events.next(), &events, .root, depth: 1).node
                    output.diagnostics += diagnostics
                    diagnostics = []
                    if !root.isNull { output.documents.append(root) }
                }
            } catch {
                output.diagnostics += diagnostics + [error.diagnostic]
            }
        }
        return output
    }

    private mutating func compose(
        _ event: YAMLEvent, _ events: inout YAMLEvents, _ path: DocumentPath, depth: Int
    ) throws(DocumentFailure) -> Composed {
        if case .alias(let name) = event.kind { return try alias(name, event, path, depth: depth) }
        try budget.spendNode(at: event.location, depth: depth)
        let before = budget.nodes
        var hasRepeatedKey = false
        var height = 1
        let content: DocumentNode.Content
        switch event.kind {
        case .scalar(let text, let isPlain):
            content = try scalar(text, isPlain: isPlain, event)
        case .listStart:
            try checkTag(event, "tag:yaml.org,2002:seq")
            var elements: [DocumentNode] = []
            while true {
                let next = try events.next()
                if case .listEnd = next.kind { break }
                let element = try compose(next, &events, path.appending(index: elements.count), depth: depth + 1)
                height = max(height, element.height + 1)
                elements.append(element.node)
            }
            content = .list(elements)
        case .mapStart:
            try checkTag(event, "tag:yaml.org,2002:map")
            let builder = try map(&events, path, depth: depth, &height)
            diagnostics += builder.diagnostics
            hasRepeatedKey = !builder.diagnostics.isEmpty
            content = .map(builder.members)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .listEnd, .mapEnd, .alias:
            throw failure(event, "invalid YAML: unexpected end", "complete the document")
        }
        let node = DocumentNode(
            content, location: event.location, path: path, hasRepeatedKey: hasRepeatedKey)
        let composed = Composed(node: node, count: before - budget.nodes + 1, height: height)
        if let anchor = event.anchor { anchors[anchor] = composed }
        return composed
    }

    private mutating func map(
        _ events: inout YAMLEvents, _ path: DocumentPath, depth: Int, _ height: inout Int
    ) throws(DocumentFailure) -> DocumentMapBuilder {
        var builder = DocumentMapBuilder()
        var merges: [DocumentNode] = []
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { break }
            guard case .scalar(let key, let isPlain) = event.kind, !isPlain || DocumentScalar(plain: key) != nil else {
                throw failure(
                    event, "a key must be text, not a list, map, alias or null",
                    "write the key as a quoted string; render templates ({{ ... }}) first: helm template . | netpold lint -"
                )
            }
            let isMerge = isPlain && key == "<<"
            let keyPath = isMerge ? path : path.appending(key: key)
            let value = try compose(try events.next(), &events, keyPath, depth: depth + 1)
            height = max(height, value.height + 1)
            if isMerge {
                merges.append(value.node)
            } else {
                builder.add(DocumentMember(key: key, location: event.location, value: value.node))
            }
        }
        for merge in merges {
            for source in merge.elements ?? [merge] {
                guard let members = source.members else {
                    throw DocumentFailure(
                        id: .syntax, location: merge.location,
                        message: "<< merges maps, not \(source.kindDescription)",
                        hint: "refer to the anchor of a map")
                }
                // The map's own keys win over merged ones; of several merged maps the first wins.
                for member in members where !builder.has(member.key) {
                    let value = member.value.moved(to: path.appending(key: member.key))
                    builder.add(DocumentMember(key: member.key, location: member.location, value: value))
                }
            }
        }
        return builder
    }

    private mutating func alias(
        _ name: String, _ event: YAMLEvent, _ path: DocumentPath, depth: Int
    ) throws(DocumentFailure) -> Composed {
        try budget.spendAlias(at: event.location)
        guard let target = anchors[name] else {
            throw failure(
                event, "the alias *\(name) has no anchor before it",
                "define &\(name) before it is used, and not inside itself")
        }
        try budget.spendNodes(target.count, at: event.location, depth: depth + target.height - 1)
        return Composed(node: target.node.moved(to: path), count: target.count, height: target.height)
    }

    private func scalar(_ text: String, isPlain: Bool, _ event: YAMLEvent) throws(DocumentFailure)
        -> DocumentNode.Content
    {
        if isPlain { return DocumentScalar(plain: text).map { .scalar($0) } ?? .null }
        switch event.tag {
        case nil, "!", "tag:yaml.org,2002:str":
            return .scalar(DocumentScalar(text: text, kind: .string))
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return DocumentScalar(plain: text).map { .scalar($0) } ?? .null
        case .some(let tag):
            throw failure(event, "unknown tag \(DocumentNode.shortened(tag))", "remove the tag")
        }
    }

    private func checkTag(_ event: YAMLEvent, _ expected: String) throws(DocumentFailure) {
        guard let tag = event.tag, tag != "!", tag != expected else { return }
        throw failure(event, "the tag \(DocumentNode.shortened(tag)) is not supported here", "remove the tag")
    }

    private func failure(_ event: YAMLEvent, _ message: String, _ hint: String) -> DocumentFailure {
        DocumentFailure(id: .syntax, location: event.location, message: message, hint: hint)
    }
}
