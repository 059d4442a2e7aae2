import PolicyAPI

/// What an API server says it has.
enum Discovery {
    /// The versions of a group, as `/apis` lists them: none for a group that is not there; `nil` when the bytes are no such list.
    static func versions(of group: String, in bytes: [UInt8]) -> [String]? {
        guard let list = DocumentReader.read(bytes, file: "apis.json").documents.first,
            list["kind"]?.string == "APIGroupList", let groups = list["groups"]?.elements
        else { return nil }
        let versions = groups.first { $0["name"]?.string == group }?["versions"]?.elements ?? []
        return versions.compactMap { $0["version"]?.string }
    }

    /// The resources of one version of a group, by their plurals; `nil` when the bytes are no such list.
    static func resources(in bytes: [UInt8]) -> Set<String>? {
        guard let list = DocumentReader.read(bytes, file: "resources.json").documents.first,
            list["kind"]?.string == "APIResourceList", let resources = list["resources"]?.elements
        else { return nil }
        return Set(resources.compactMap { $0["name"]?.string })
    }
}
