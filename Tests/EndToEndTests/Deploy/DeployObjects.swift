import PolicyAPI

/// Kubernetes objects by kind and name, as trees.
struct DeployObjects {
    /// The YAML that they come from.
    let text: String
    private(set) var objects: [String: DocumentNode] = [:]

    init(_ text: String) throws {
        self.text = text
        let read = DocumentReader.read(Array(text.utf8), file: "deploy")
        guard read.diagnostics.isEmpty else { throw PodNetworkError("\(read.diagnostics)") }
        for object in read.documents {
            let key = "\(object["kind"]?.string ?? "?")/\(object["metadata"]?["name"]?.string ?? "?")"
            guard objects.updateValue(object, forKey: key) == nil else { throw PodNetworkError("\(key) twice") }
        }
    }

    subscript(key: String) -> DocumentNode {
        get throws {
            guard let object = objects[key] else { throw PodNetworkError("no \(key) among \(objects.keys.sorted())") }
            return object
        }
    }

    /// The first container of a name in the pods of a DaemonSet.
    func container(_ name: String, of key: String) throws -> DeployContainer {
        let spec = try pod(of: key)
        let all = (spec["initContainers"]?.elements ?? []) + (spec["containers"]?.elements ?? [])
        guard let found = all.first(where: { $0["name"]?.string == name }) else {
            throw PodNetworkError("\(key) has no container \(name)")
        }
        return DeployContainer(node: found, volumes: spec["volumes"]?.elements ?? [])
    }

    /// All containers of all DaemonSets.
    func containers() -> [DeployContainer] {
        objects.sorted { $0.key < $1.key }.flatMap { _, object in
            let spec = object["spec"]?["template"]?["spec"]
            let all = (spec?["initContainers"]?.elements ?? []) + (spec?["containers"]?.elements ?? [])
            return all.map { DeployContainer(node: $0, volumes: spec?["volumes"]?.elements ?? []) }
        }
    }

    func pod(of key: String) throws -> DocumentNode {
        guard let spec = try self[key]["spec"]?["template"]?["spec"] else { throw PodNetworkError("\(key): no pod") }
        return spec
    }

    /// Where two sets of objects differ, one line each.
    func differences(from other: DeployObjects) -> [String] {
        Set(objects.keys).union(other.objects.keys).sorted().flatMap { key in
            guard let mine = objects[key], let theirs = other.objects[key] else { return ["\(key): on one side only"] }
            return DeployObjects.differences(mine, theirs, key)
        }
    }

    private static func differences(_ left: DocumentNode, _ right: DocumentNode, _ path: String) -> [String] {
        switch (left.content, right.content) {
        case (.null, .null): return []
        case (.scalar(let one), .scalar(let two)):
            return one.kind == two.kind && one.text == two.text ? [] : ["\(path): \(one.text) and \(two.text)"]
        case (.list(let one), .list(let two)):
            guard one.count == two.count else { return ["\(path): \(one.count) and \(two.count) elements"] }
            return zip(one, two).enumerated().flatMap { differences($1.0, $1.1, "\(path)[\($0)]") }
        case (.map(let one), .map(let two)):
            return Set(one.map(\.key)).union(two.map(\.key)).sorted().flatMap { key in
                guard let mine = left[key], let theirs = right[key] else { return ["\(path).\(key): on one side only"] }
                return differences(mine, theirs, "\(path).\(key)")
            }
        case (.null, _), (.scalar, _), (.list, _), (.map, _):
            return ["\(path): \(left.kindDescription) and \(right.kindDescription)"]
        }
    }
}

/// A container of a DaemonSet.
struct DeployContainer {
    /// A volume of the node at a place in the container.
    struct Mount {
        var host: String
        var inside: String
        var propagation: String
        var isReadOnly: Bool
    }

    let node: DocumentNode
    let volumes: [DocumentNode]

    var name: String { node["name"]?.string ?? "" }
    var image: String { node["image"]?.string ?? "" }
    var arguments: [String] { node["args"]?.elements?.compactMap(\.string) ?? [] }
    var isPrivileged: Bool { node["securityContext"]?["privileged"]?.boolean ?? false }
    /// The capabilities that are left of all: none without `drop: [ALL]`.
    var capabilities: Set<String>? {
        let capabilities = node["securityContext"]?["capabilities"]
        guard capabilities?["drop"]?.elements?.compactMap(\.string) == ["ALL"] else { return nil }
        return Set(capabilities?["add"]?.elements?.compactMap(\.string) ?? [])
    }

    var mounts: [Mount] {
        get throws {
            try (node["volumeMounts"]?.elements ?? []).map { mount in
                let volume = volumes.first { $0["name"]?.string == mount["name"]?.string }
                guard let host = volume?["hostPath"]?["path"]?.string, let inside = mount["mountPath"]?.string else {
                    throw PodNetworkError("\(name): a mount without a volume of the node")
                }
                return Mount(
                    host: host, inside: inside, propagation: mount["mountPropagation"]?.string ?? "None",
                    isReadOnly: mount["readOnly"]?.boolean ?? false)
            }
        }
    }
}
