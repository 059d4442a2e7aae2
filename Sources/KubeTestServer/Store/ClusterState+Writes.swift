/// What clients may write: create, replace, patch and delete of objects.
extension ClusterState {
    /// What a write needs to know of its request.
    struct Write {
        var resource: APIResource
        var namespace: String?
        var name: String?
        var subresource: String?
        /// `fieldManager`.
        var manager: String?
        /// `force=true`: an apply takes fields from their owners.
        var force = false
        var contentType = "application/json"
        /// RFC 3339, UTC, seconds.
        var now: String
    }

    /// How a patch is to be read.
    private enum PatchKind {
        case merge, apply
    }

    /// What was written, and what of the request was not.
    struct Written: Sendable {
        var object: StoredObject
        var warnings: [String] = []
    }

    mutating func create(_ body: JSONValue, _ write: Write) throws(APIStatus) -> Written {
        let resource = write.resource
        var value = body
        var metadata = value["metadata"] ?? .object([])
        if let namespace = write.namespace {
            if let other = metadata["namespace"]?.text, !other.isEmpty, other != namespace {
                throw .badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request")
            }
            let namespaces = tables.keys.first { $0.group.isEmpty && $0.name == "namespaces" }
            if let namespaces, let table = tables[namespaces], !["default"].contains(namespace),
                table.objects[StoredObject.Key(namespace: "", name: namespace)] == nil
            {
                throw .notFound(table.resource, namespace)
            }
            metadata["namespace"] = .string(namespace)
        }
        if metadata["name"] == nil, let prefix = metadata["generateName"]?.text {
            metadata["name"] = .string(prefix + String(nextUID().suffix(5)))
        }
        guard let name = metadata["name"]?.text, !name.isEmpty else {
            throw .invalid(
                resource.kind, group: resource.group, name: "", field: "metadata.name", reason: "FieldValueRequired",
                "Required value: name or generateName is required")
        }
        value["metadata"] = metadata
        if resource.kind == "Event" { try checkEvent(value, resource, name: name, namespace: write.namespace ?? "") }
        let key = StoredObject.Key(namespace: write.namespace ?? "", name: name)
        guard object(resource, key) == nil else { throw .alreadyExists(resource, name) }
        metadata["uid"] = metadata["uid"] ?? .string(nextUID())
        metadata["creationTimestamp"] = .string(write.now)
        if resource.hasGeneration { metadata["generation"] = .integer(1) }
        value["metadata"] = metadata
        return Written(object: put(value, resource, managers: [owner(of: value, write)]))
    }

    /// The entry of `managedFields` of who has made an object.
    private func owner(of value: JSONValue, _ write: Write) -> FieldManager {
        let fields = (value.members ?? []).map(\.key).filter { !["kind", "apiVersion", "metadata"].contains($0) }
        return FieldManager(
            name: write.manager ?? "unknown", applies: false, subresource: nil, apiVersion: write.resource.apiVersion,
            time: write.now, paths: Set(fields.map { ["f:\($0)"] }))
    }

    private func checkEvent(
        _ value: JSONValue, _ resource: APIResource, name: String, namespace: String
    ) throws(APIStatus) {
        func missing(_ field: String) -> APIStatus {
            .invalid("Event", group: "", name: name, field: field, reason: "FieldValueRequired", "Required value")
        }
        let isCore = resource.group.isEmpty
        if !isCore, value["eventTime"]?.text == nil { throw missing("eventTime") }
        if !isCore {
            for field in ["reportingController", "reportingInstance", "action", "reason"]
            where value[field]?.text ?? "" == "" { throw missing(field) }
        }
        // An object without a namespace has its events in "default".
        let about = value[isCore ? "involvedObject" : "regarding"]?["namespace"]?.text ?? ""
        guard about == namespace || about.isEmpty && namespace == "default" else {
            throw .invalid(
                "Event", group: "", name: name, field: "involvedObject.namespace", reason: "FieldValueInvalid",
                "Invalid value: \"\(about)\": does not match event.namespace")
        }
    }

    mutating func replace(_ body: JSONValue, _ write: Write) throws(APIStatus) -> Written {
        let old = try existing(write)
        let resource = write.resource
        var value = body
        if let version = body["metadata"]?["resourceVersion"]?.text, !version.isEmpty, version != "\(old.version)" {
            throw .conflict(resource, old.key.name)
        }
        var metadata = value["metadata"] ?? .object([])
        let before = old.value
        for key in ["namespace", "uid", "creationTimestamp", "generation"] { metadata[key] = before["metadata"]?[key] }
        metadata["name"] = .string(old.key.name)
        if write.subresource == "status" {
            // The status alone is written through its subresource.
            let status = value["status"]
            value = before
            value["status"] = status
        } else {
            if resource.statusFields != nil { value["status"] = before["status"] }
            if value["spec"] != before["spec"], case .number(let text) = before["metadata"]?["generation"] {
                metadata["generation"] = .integer((Int(text) ?? 0) + 1)
            }
            value["metadata"] = metadata
        }
        return Written(object: put(value, resource, managers: old.managers))
    }

    mutating func patch(_ body: JSONValue, _ write: Write) throws(APIStatus) -> Written {
        let resource = write.resource
        let kind: PatchKind
        switch write.contentType.split(separator: ";").first.map({ String($0) }) {
        case "application/merge-patch+json": kind = .merge
        case "application/apply-patch+yaml": kind = .apply
        // The fields that a strategic merge patch of a built-in kind needs are those of a merge patch.
        case "application/strategic-merge-patch+json" where !resource.isCustom: kind = .merge
        default:
            throw APIStatus(
                415, "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            )
        }
        if write.subresource != nil, resource.statusFields == nil { throw .noResource }
        if kind == .apply, write.manager == nil {
            throw .invalid(
                "PatchOptions", group: "meta.k8s.io", name: nil, field: "fieldManager", reason: "FieldValueRequired",
                "Required value: is required for apply patch")
        }
        let old = try existing(write)
        if let version = body["metadata"]?["resourceVersion"]?.text, version != "\(old.version)" {
            throw .conflict(resource, old.key.name)
        }
        // Through the subresource nothing but the status is written, and through the object everything else.
        let (change, warnings) = pruned(body, write)
        var managers = old.managers
        let before = old.value
        let after =
            switch kind {
            case .merge: merge(change, into: before, write, &managers)
            case .apply: try apply(change, to: before, write, &managers)
            }
        try checkConditions(after, write)
        return Written(object: put(after, resource, managers: managers), warnings: warnings)
    }

    private func existing(_ write: Write) throws(APIStatus) -> StoredObject {
        let name = write.name ?? ""
        guard let old = object(write.resource, StoredObject.Key(namespace: write.namespace ?? "", name: name)) else {
            throw .notFound(write.resource, name)
        }
        return old
    }

    private func pruned(_ body: JSONValue, _ write: Write) -> (change: JSONValue, warnings: [String]) {
        guard write.subresource == "status" else {
            var change = body
            if write.resource.statusFields != nil { change["status"] = nil }
            return (change, [])
        }
        var status = body["status"] ?? .object([])
        var warnings: [String] = []
        if let known = write.resource.statusFields, !known.isEmpty {
            for member in status.members ?? [] where !known.contains(member.key) {
                warnings.append("unknown field \"status.\(member.key)\"")
                status[member.key] = nil
            }
        }
        return (["status": status], warnings)
    }

    private func merge(
        _ change: JSONValue, into before: JSONValue, _ write: Write, _ managers: inout [FieldManager]
    ) -> JSONValue {
        let after = before.merged(with: change)
        let old = FieldManager.paths(of: ["status": before["status"] ?? .object([])], isUpdate: true)
        let new = FieldManager.paths(of: ["status": after["status"] ?? .object([])], isUpdate: true)
        let name = write.manager ?? "unknown"
        let set = Set(FieldManager.paths(of: ["status": change["status"] ?? .object([])], isUpdate: true).keys)
        let isMine = { (manager: FieldManager) in
            manager.name == name && !manager.applies && manager.subresource == write.subresource
        }
        for index in managers.indices where !isMine(managers[index]) {
            managers[index].paths = managers[index].paths.filter { path in
                guard path.first == "f:status", path.count > 1 else { return true }
                return new[path] != nil && (new[path] == old[path] || !set.contains(path))
            }
        }
        if write.subresource != nil {
            let index =
                managers.firstIndex(where: isMine)
                ?? {
                    managers.append(
                        FieldManager(
                            name: name, applies: false, subresource: write.subresource,
                            apiVersion: write.resource.apiVersion, time: write.now, paths: []))
                    return managers.count - 1
                }()
            managers[index].paths = managers[index].paths.filter { new[$0] != nil }
                .union(
                    set.filter {
                        new[$0] != nil && (old[$0] == nil || new[$0] != old[$0] || managers[index].paths.contains($0))
                    })
            managers[index].time = write.now
        }
        managers.removeAll { $0.paths.isEmpty }
        return after
    }

    private func apply(
        _ change: JSONValue, to before: JSONValue, _ write: Write, _ managers: inout [FieldManager]
    ) throws(APIStatus) -> JSONValue {
        let name = write.manager ?? ""
        var intent = change
        for key in ["kind", "apiVersion"] { intent[key] = nil }
        if write.subresource == nil, var metadata = intent["metadata"] {
            for key in ["name", "namespace", "resourceVersion"] { metadata[key] = nil }
            intent["metadata"] = metadata.members?.isEmpty == false ? metadata : nil
        }
        let wanted = FieldManager.paths(of: intent, isUpdate: false)
        let current = FieldManager.paths(of: before, isUpdate: false)
        let isMine = { (manager: FieldManager) in
            manager.name == name && manager.applies && manager.subresource == write.subresource
        }
        var conflicts: [(manager: String, path: FieldManager.Path)] = []
        for path in wanted.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) where wanted[path] != current[path] {
            for index in managers.indices where !isMine(managers[index]) && managers[index].paths.contains(path) {
                if write.force {
                    managers[index].paths.remove(path)
                } else {
                    let through = managers[index].subresource.map { " with subresource \"\($0)\"" } ?? ""
                    conflicts.append(("\"\(managers[index].name)\"\(through)", path))
                }
            }
        }
        guard conflicts.isEmpty else { throw ClusterState.conflict(conflicts) }
        var after = before
        let mine = managers.firstIndex(where: isMine)
        for path in mine.map({ managers[$0].paths }) ?? [] where wanted[path] == nil {
            // What an applier no longer names goes, unless somebody else owns it too.
            let isShared = managers.contains { !isMine($0) && $0.paths.contains(path) }
            if !isShared { FieldManager.remove(path[...], in: &after) }
        }
        for (path, value) in wanted { FieldManager.set(path[...], to: value, in: &after) }
        ClusterState.orderConditions(&after, as: before, intent)
        if let mine { managers.remove(at: mine) }
        let entry = FieldManager(
            name: name, applies: true, subresource: write.subresource, apiVersion: write.resource.apiVersion,
            time: write.now, paths: Set(wanted.keys))
        if !wanted.isEmpty { managers.append(entry) }
        managers.removeAll { $0.paths.isEmpty }
        // Appliers come first, by name.
        managers = managers.filter(\.applies).sorted { $0.name < $1.name } + managers.filter { !$0.applies }
        return after
    }

    private static func conflict(_ conflicts: [(manager: String, path: FieldManager.Path)]) -> APIStatus {
        let causes = conflicts.map { conflict -> JSONValue in
            [
                "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.manager)"),
                "field": .string(FieldManager.words(conflict.path)),
            ]
        }
        let words = conflicts.map { "conflict with \($0.manager): \(FieldManager.words($0.path))" }
        let count = conflicts.count == 1 ? "1 conflict" : "\(conflicts.count) conflicts"
        return APIStatus(
            409, "Conflict", "Apply failed with \(count): \(words.joined(separator: "\n"))",
            details: ["causes": .array(causes)])
    }

    /// Conditions keep their places; new ones come last in the order of the request.
    private static func orderConditions(_ value: inout JSONValue, as before: JSONValue, _ intent: JSONValue) {
        guard let conditions = value["status"]?["conditions"]?.elements, var status = value["status"] else { return }
        let order =
            ((before["status"]?["conditions"]?.elements ?? []) + (intent["status"]?["conditions"]?.elements ?? []))
            .compactMap { $0["type"]?.text }
        let place = { (condition: JSONValue) in order.firstIndex(of: condition["type"]?.text ?? "") ?? order.count }
        status["conditions"] = .array(conditions.sorted { place($0) < place($1) })
        value["status"] = status
    }

    private func checkConditions(_ value: JSONValue, _ write: Write) throws(APIStatus) {
        guard write.subresource == "status", write.resource.isCustom else { return }
        for (index, condition) in (value["status"]?["conditions"]?.elements ?? []).enumerated() {
            for field in ["status", "type"] where condition[field]?.text == nil {
                throw .invalid(
                    write.resource.kind, group: write.resource.group, name: write.name,
                    field: "status.conditions[\(index)].\(field)", reason: "FieldValueRequired", "Required value")
            }
        }
    }
}
