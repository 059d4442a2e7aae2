/// The documents in which a client finds the resources.
enum Discovery {
    /// The document of a path; `nil` when there is none.
    static func answer(_ path: String, _ resources: [APIResource]) -> JSONValue? {
        let parts = path.split(separator: "/").map { String($0) }
        switch parts.first {
        case "api" where parts.count == 1:
            return [
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"]],
            ]
        case "api" where parts.count == 2 && parts[1] == "v1": return list("", "v1", resources)
        case "apis" where parts.count == 1:
            let groups = Set(resources.map(\.group)).subtracting([""]).sorted()
            return [
                "kind": "APIGroupList", "apiVersion": "v1",
                "groups": .array(groups.map { group($0, resources, isWhole: false) }),
            ]
        case "apis" where parts.count == 2 && resources.contains(where: { $0.group == parts[1] }):
            return group(parts[1], resources, isWhole: true)
        case "apis" where parts.count == 3: return list(parts[1], parts[2], resources)
        default: return nil
        }
    }

    private static func group(_ name: String, _ resources: [APIResource], isWhole: Bool) -> JSONValue {
        // The highest version is preferred: v2 before v2alpha1.
        let versions = Set(resources.filter { $0.group == name }.map(\.version)).sorted {
            ($0.utf8.count, $1) < ($1.utf8.count, $0)
        }
        let entries = versions.map { version -> JSONValue in
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        var value: JSONValue = isWhole ? ["kind": "APIGroup", "apiVersion": "v1"] : .object([])
        value["name"] = .string(name)
        value["versions"] = .array(entries)
        value["preferredVersion"] = entries.first
        return value
    }

    private static func list(_ group: String, _ version: String, _ resources: [APIResource]) -> JSONValue? {
        let wanted = resources.filter { $0.group == group && $0.version == version }
        guard !wanted.isEmpty else { return nil }
        let verbs: JSONValue = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
        var entries: [JSONValue] = []
        for resource in wanted {
            entries.append([
                "name": .string(resource.name), "singularName": .string(resource.kind.lowercased()),
                "namespaced": .boolean(resource.isNamespaced), "kind": .string(resource.kind), "verbs": verbs,
            ])
            guard resource.statusFields != nil else { continue }
            entries.append([
                "name": .string(resource.name + "/status"), "singularName": "",
                "namespaced": .boolean(resource.isNamespaced), "kind": .string(resource.kind),
                "verbs": ["get", "patch", "update"],
            ])
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"), "resources": .array(entries),
        ]
    }
}
