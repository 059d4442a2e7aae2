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
                    if event == .streamEnd { return }
                    guard event == .documentStart else { continue }
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

    /// The value that begins with an event, which is the current one of `events`.
    private mutating func compose(
        _ event: YAMLEvent, _ events: inout YAMLEvents, _ path: DocumentPath, depth: Int
    ) throws(DocumentFailure) -> Composed {
        if event == .alias { return try alias(events, path, depth: depth) }
        let location = events.location
        try budget.spendNode(at: location, depth: depth)
        let before = budget.nodes
        let anchor = events.anchor
        var hasRepeatedKey = false
        var height = 1
        let content: DocumentNode.Content
        switch event {
        case .scalar:
            content = try scalar(events)
        case .listStart:
            try checkTag(events, "tag:yaml.org,2002:seq")
            var elements: [DocumentNode] = []
            while true {
                let next = try events.next()
                if next == .listEnd { break }
                let element = try compose(next, &events, path.appending(index: elements.count), depth: depth + 1)
                height = max(height, element.height + 1)
                elements.append(element.node)
            }
            content = .list(elements)
        case .mapStart:
            try checkTag(events, "tag:yaml.org,2002:map")
            let builder = try map(&events, path, depth: depth, &height)
            if !builder.diagnostics.isEmpty {
                diagnostics += builder.diagnostics
                hasRepeatedKey = true
            }
            content = .map(builder.members)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .listEnd, .mapEnd, .alias:
            throw failure(events, "invalid YAML: unexpected end", "complete the document")
        }
        let node = DocumentNode(content, location: location, path: path, hasRepeatedKey: hasRepeatedKey)
        let composed = Composed(node: node, count: before - budget.nodes + 1, height: height)
        if let anchor { anchors[anchor] = composed }
        return composed
    }

    private mutating func map(
        _ events: inout YAMLEvents, _ path: DocumentPath, depth: Int, _ height: inout Int
    ) throws(DocumentFailure) -> DocumentMapBuilder {
        var builder = DocumentMapBuilder()
        var merges: [DocumentNode] = []
        while true {
            let event = try events.next()
            if event == .mapEnd { break }
            let key = events.text
            let isPlain = events.isPlain
            guard event == .scalar, !isPlain || DocumentScalar.kind(ofPlain: key) != nil else {
                throw failure(
                    events, "a key must be text, not a list, map, alias or null",
                    "write the key as a quoted string; render templates ({{ ... }}) first: helm template . | netpold lint -"
                )
            }
            let location = events.location
            let isMerge = isPlain && key == "<<"
            let keyPath = isMerge ? path : path.appending(key: key)
            let value = try compose(try events.next(), &events, keyPath, depth: depth + 1)
            height = max(height, value.height + 1)
            if isMerge {
                merges.append(value.node)
            } else {
                builder.add(DocumentMember(key: key, location: location, value: value.node))
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
        _ events: borrowing YAMLEvents, _ path: DocumentPath, depth: Int
    ) throws(DocumentFailure) -> Composed {
        let location = events.location
        let name = events.anchor ?? ""
        try budget.spendAlias(at: location)
        guard let target = anchors[name] else {
            throw failure(
                events, "the alias *\(name) has no anchor before it",
                "define &\(name) before it is used, and not inside itself")
        }
        try budget.spendNodes(target.count, at: location, depth: depth + target.height - 1)
        return Composed(node: target.node.moved(to: path), count: target.count, height: target.height)
    }

    private func scalar(_ events: borrowing YAMLEvents) throws(DocumentFailure) -> DocumentNode.Content {
        let text = events.text
        if events.isPlain { return DocumentScalar(plain: text).map { .scalar($0) } ?? .null }
        switch events.tag {
        case nil, "!", "tag:yaml.org,2002:str":
            return .scalar(DocumentScalar(text: text, kind: .string))
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return DocumentScalar(plain: text).map { .scalar($0) } ?? .null
        case .some(let tag):
            throw failure(events, "unknown tag \(DocumentNode.shortened(tag))", "remove the tag")
        }
    }

    private func checkTag(_ events: borrowing YAMLEvents, _ expected: String) throws(DocumentFailure) {
        guard let tag = events.tag, tag != "!", tag != expected else { return }
        throw failure(events, "the tag \(DocumentNode.shortened(tag)) is not supported here", "remove the tag")
    }

    private func failure(_ events: borrowing YAMLEvents, _ message: String, _ hint: String) -> DocumentFailure {
        DocumentFailure(id: .syntax, location: events.location, message: message, hint: hint)
    }
}
